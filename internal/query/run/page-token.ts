import { Failure } from "../../failure/failure.ts";
import { digest } from "./question-key.ts";

/** Where a page begins, and of which data. */
export interface PageToken {
  /** Rows before the page. */
  readonly offset: number;
  /** What "now" was for the first page, ms since 1970-01-01 UTC: relative periods stay where they were. */
  readonly now: number;
  /** Of the first page's data (versions.ts). */
  readonly revision: string;
}

/** A token that came with a request. */
export interface GivenToken extends PageToken {
  readonly text: string;
}

/** Tells our tokens from other texts, and from those of later releases. */
const FORMAT = "1";

/**
 * A token as text. It is no secret and gives no right: its digest tells what was changed, or made for another question.
 * @param key of the question (question-key.ts), which has the merchant in it.
 */
export function printPageToken({ offset, now, revision }: PageToken, key: string): string {
  return [FORMAT, offset.toString(36), now.toString(36), revision, digest(key, offset, now, revision)].join(
    ".",
  );
}

/**
 * Reads a token; with its `now` the question is read, before checkPageToken tells whether it is that question's.
 * @throws Failure "invalid" (PAGE_TOKEN_INVALID) for what can be none.
 */
export function parsePageToken(text: string): GivenToken {
  const [format, offset, now, revision = ""] = text.split(".", 4);
  const token = { offset: numberOf(offset), now: numberOf(now), revision, text };
  if (format !== FORMAT || Number.isNaN(token.offset + token.now)) throw invalid(text);
  return token;
}

/** @throws Failure "invalid" (PAGE_TOKEN_INVALID) for a token that was made for another question, or was changed. */
export function checkPageToken(token: GivenToken, key: string): void {
  if (token.text !== printPageToken(token, key)) throw invalid(token.text);
}

/** @returns NaN for what no token has. */
function numberOf(text = ""): number {
  const number = Number.parseInt(text, 36);
  return Number.isSafeInteger(number) && number > 0 && number.toString(36) === text ? number : Number.NaN;
}

function invalid(value: string): Failure {
  const allowed = "the last answer's next_page_token, with everything else as it was then";
  const options = { reason: "PAGE_TOKEN_INVALID", field: "page_token", value, allowed } as const;
  return new Failure("invalid", `page_token: it must be ${allowed}`, options);
}
