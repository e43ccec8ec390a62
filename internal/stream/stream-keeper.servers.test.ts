import { jetstreamManager } from "@nats-io/jetstream";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openTestNats, type TestNats } from "../../test/kit/nats.ts";
import type { NatsConnection } from "./connect.ts";
import { StreamKeeper } from "./stream-keeper.ts";
import { DEAD_LETTER_STREAM, ensureStreams, eventsStream } from "./streams.ts";

const LIMITS = { replicas: 1, maxAgeMs: 3_600_000, maxBytes: 64 << 10 };

let nats: TestNats;
let nc: NatsConnection;
let keeper: StreamKeeper;
let made: string[];
let lines: { level: number; stream?: string; msg: string }[];

beforeAll(async () => {
  nats = await openTestNats();
  nc = await nats.connect();
});
afterAll(() => nats?.close());
beforeEach(async () => {
  await ensureStreams(nc, 2, LIMITS);
  made = [];
  lines = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  keeper = new StreamKeeper(nc, { partitions: 2, limits: LIMITS, log, onMade: (name) => made.push(name) });
});

test("what exists is let be", async () => {
  await keeper.keepAll();
  expect([made, lines]).toEqual([[], []]);
});

test("all that is gone is made anew, told by name and once, however many ask", async () => {
  const { streams } = await jetstreamManager(nc);
  for (const stream of [eventsStream(1), DEAD_LETTER_STREAM]) await streams.delete(stream);
  await Promise.all([keeper.keepAll(), keeper.keep(eventsStream(1)), keeper.keep(eventsStream(1))]);
  expect(made).toEqual([eventsStream(1), DEAD_LETTER_STREAM]);
  expect(lines.map(({ level, stream }) => [level, stream])).toEqual(made.map((stream) => [50, stream]));
  expect(lines[0]!.msg).toContain("EVENTS_1 was gone and was made anew, empty");
  expect(await ensureStreams(nc, 2, LIMITS)).toEqual([]);
});

test("a JetStream that does not answer is asked once, not once for each batch that fails", async () => {
  await nats.kill();
  await Promise.all(Array.from({ length: 20 }, () => keeper.keep(eventsStream(0))));
  await keeper.keepAll();
  expect(lines.map(({ level, stream }) => [level, stream])).toEqual([[40, "EVENTS_0"]]);
  await nats.start();
});
