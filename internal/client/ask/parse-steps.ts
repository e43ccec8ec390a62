import type { MessageInitShape } from "@bufbuild/protobuf";
import { Failure } from "../../failure/failure.ts";
import { type FunnelStepSchema, FunnelStep_Kind as Kind } from "../../gen/footfall/query/v1/funnel_pb.js";
import { parseFilterFlag } from "./parse-filter-flag.ts";

/** A quoted value, or what parts two steps. */
const TOKEN = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\s+->\s+/g;

/** How a step is told to be what it is for. */
const WORDS: Readonly<Record<string, Kind>> = { optional: Kind.OPTIONAL, without: Kind.EXCLUDED };

/**
 * Steps of a funnel, filters parted by " -> ": "event_name==view_item -> optional event_name==add_to_cart -> without
 * event_name==leave -> event_name==purchase". What stands in quotes parts nothing. The title of a step is its filter.
 * @throws Failure "invalid" that names the flag.
 */
export function parseSteps(text: string): MessageInitShape<typeof FunnelStepSchema>[] {
  const parts = partsOf(text);
  if (parts.length < 2) {
    const example = "'event_name==view_item -> event_name==purchase'";
    throw new Failure("invalid", `--steps must be two filters or more, parted by " -> ": ${example}`);
  }
  return parts.map((part) => {
    const [, word = "", title = ""] = /^(?:(optional|without)\s+)?(.*)$/s.exec(part.trim())!;
    return { title, event: parseFilterFlag("--steps", title), kind: WORDS[word] ?? Kind.REQUIRED };
  });
}

function partsOf(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (!token.includes("->") || /^["']/.test(token)) continue;
    parts.push(text.slice(from, index));
    from = index + token.length;
  }
  return [...parts, text.slice(from)];
}
