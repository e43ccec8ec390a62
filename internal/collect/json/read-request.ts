import { setImmediate } from "node:timers/promises";
import { Failure } from "../../failure/failure.ts";
import type { Request } from "../answer-request.ts";
import type { ReadEvent } from "../read-event.ts";
import { readDecimal } from "./decimal.ts";
import { parseJson } from "./parse.ts";
import { readJsonEvent } from "./read-event.ts";
import { readTime } from "./time.ts";
import { fieldOf, kindOf, objectOf } from "./values.ts";

export interface JsonRequest extends Request {
  readonly sequence: bigint;
}

/**
 * A SendRequest or StreamRequest in JSON. Its events are counted here and read one by one, so that what is wrong with
 * one costs none of the others. A sending time that is none is as good as absent.
 * @throws Failure invalid when the text is no JSON object, or its events are no list.
 */
export function readJsonRequest(text: string): JsonRequest {
  const value = parseJson(text);
  const body = objectOf(value);
  if (body === undefined) throw new Failure("invalid", `body: ${kindOf(value)}, must be an object`);
  const events = body.events ?? [];
  if (!Array.isArray(events)) throw new Failure("invalid", `events: ${kindOf(events)}, must be a list`);
  return {
    sentTime: readTime(fieldOf(body, "sentTime", "sent_time")),
    sequence: BigInt.asUintN(64, readDecimal(body.sequence)?.value ?? 0n),
    count: events.length,
    read: () => readEvents(events),
  };
}

/** How long events are read before others have their turn, ms. */
const SLICE_MS = 5;

async function readEvents(events: readonly unknown[]): Promise<ReadEvent[]> {
  const read: ReadEvent[] = [];
  let until = performance.now() + SLICE_MS;
  for (const event of events) {
    read.push(readJsonEvent(event));
    if (performance.now() < until) continue;
    await setImmediate();
    until = performance.now() + SLICE_MS;
  }
  return read;
}

/** The write key in a request's JSON, for a page that can set no header; undefined where there is none. */
export function keyOf(text: string): string | undefined {
  try {
    const { key } = objectOf(parseJson(text)) ?? {};
    return typeof key === "string" ? key : undefined;
  } catch {
    return undefined;
  }
}
