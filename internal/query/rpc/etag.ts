import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { Failure } from "../../failure/failure.ts";
import { knows } from "../../rpc/not-modified.ts";
import type { Freshness } from "../question/answer.ts";
import { digest } from "../run/question-key.ts";
import type { Answered } from "../run/run-questions.ts";
import type { AskedAbout } from "./asked.ts";
import { partialOf } from "./report-to-wire.ts";

/** By what an answer is known before it is made. */
interface Seen {
  readonly revision: string;
  readonly freshness: Freshness;
}

/**
 * Whether a GET names the ETag that its answer would have: that is a 304 then.
 * @param look tells of each report what its answer would be of.
 */
export async function isKnown(
  context: HandlerContext,
  asked: readonly AskedAbout[],
  look: () => Promise<readonly (Seen | undefined)[]>,
): Promise<boolean> {
  const { requestMethod: method, requestHeader: header } = context;
  if (method !== "GET" || !header.has("if-none-match")) return false;
  const etag = etagOf(asked, await look());
  if (etag === undefined || !knows({ method, header }, etag)) return false;
  tag(context, etag);
  return true;
}

/** Gives the answer of a GET its ETag; none where a report is a failure. */
export function setEtag(
  context: HandlerContext,
  asked: readonly AskedAbout[],
  answers: readonly (Answered | Failure)[],
): void {
  if (context.requestMethod !== "GET") return;
  const seen = answers.map((each) =>
    each instanceof Failure ? undefined : { revision: each.revision, freshness: each.answer },
  );
  const etag = etagOf(asked, seen);
  if (etag !== undefined) tag(context, etag);
}

/**
 * A weak one: what a question costs is another thing each time, and data_through_time moves on while no number does. All
 * numbers, marks and notices follow from what it is made of.
 */
function etagOf(asked: readonly AskedAbout[], seen: readonly (Seen | undefined)[]): string | undefined {
  const parts: unknown[] = [];
  for (const [at, report] of asked.entries()) {
    const each = seen[at];
    if (each === undefined) return undefined;
    const { dataThrough, delayedEvents } = each.freshness;
    parts.push([each.revision, report.page?.offset, dataThrough === undefined, delayedEvents]);
    parts.push(partialOf(report, each.freshness).map((marks) => marks.map(Number).join("")));
  }
  return `W/"${digest(parts)}"`;
}

/** Gives the answer of a GET an ETag by what it says; whoever knows it gets a 304. */
export function tagContent<D extends DescMessage>(
  context: HandlerContext,
  schema: D,
  answer: MessageShape<D>,
): void {
  if (context.requestMethod !== "GET") return;
  // JSON and the binary form have the same one: a weak one.
  tag(context, `W/"${digest(Buffer.from(toBinary(schema, answer)).toString("base64"))}"`);
}

/** The client may keep the answer, but has to ask each time whether it still is the one. */
function tag({ responseHeader }: HandlerContext, etag: string): void {
  responseHeader.set("etag", etag);
  responseHeader.set("cache-control", "private, no-cache");
}
