import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { testKey } from "../../test/kit/keys.ts";
import {
  CollectService,
  EventStatus,
  RejectReason,
  type StreamResponse,
} from "../gen/footfall/collect/v1/collect_pb.js";
import { type Rig, startRig } from "./testing/rig.ts";

const { ACCEPTED, DUPLICATE, REJECTED, UNAVAILABLE } = EventStatus;

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ deliverTimeoutMs: 500 });
});
afterEach(() => rig?.close());

/** A stream on which the test says when to send and when to end. */
class Requests {
  readonly #queue: { events: { name: string; eventId?: string }[]; sequence: bigint }[] = [];
  #ended = false;
  #wake = () => {};

  send(sequence: number, ...names: string[]): void {
    this.push(
      sequence,
      names.map((name) => ({ name })),
    );
  }

  push(sequence: number, events: { name: string; eventId?: string }[]): void {
    this.#queue.push({ events, sequence: BigInt(sequence) });
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      const next = this.#queue.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

function open(key?: "" | "ffw_one"): { requests: Requests; answers: AsyncIterator<StreamResponse> } {
  const requests = new Requests();
  const answers = rig.grpc(key).stream(requests)[Symbol.asyncIterator]();
  return { requests, answers };
}

async function next(answers: AsyncIterator<StreamResponse>): Promise<StreamResponse> {
  const { value, done } = await answers.next();
  expect(done).toBe(false);
  return value;
}

test("each of 500 requests is answered once, with its sequence", async () => {
  const { requests, answers } = open();
  for (let at = 1; at <= 500; at++) requests.send(at, `event ${at}`, "");
  requests.end();
  const sequences: number[] = [];
  for (let at = 1; at <= 500; at++) {
    const answer = await next(answers);
    expect(answer.statuses).toEqual([ACCEPTED, REJECTED]);
    sequences.push(Number(answer.sequence));
  }
  expect((await answers.next()).done).toBe(true);
  const all = Array.from({ length: 500 }, (_, at) => at + 1);
  expect(sequences.sort((a, b) => a - b)).toEqual(all);
  expect(rig.publisher.names().sort()).toEqual(all.map((at) => `event ${at}`).sort());
});

test("a request is answered while the stream stays open, before the next is sent", async () => {
  const { requests, answers } = open();
  requests.send(7, "one");
  expect((await next(answers)).sequence).toBe(7n);
  requests.push(8, [
    { name: "two", eventId: "same" },
    { name: "two", eventId: "same" },
  ]);
  expect((await next(answers)).statuses).toEqual([ACCEPTED, DUPLICATE]);
  requests.end();
  expect((await answers.next()).done).toBe(true);
});

test.each([
  [1_001, "more than 1000"],
  [0, "0"],
])("a request of %i events does not end its stream", async (count, told) => {
  const { requests, answers } = open();
  requests.send(1, "before");
  requests.push(
    2,
    Array.from({ length: count }, () => ({ name: "x" })),
  );
  requests.send(3, "after");
  requests.end();
  const [before, bad, after] = [await next(answers), await next(answers), await next(answers)];
  expect([before.accepted, after.accepted]).toEqual([1, 1]);
  expect([bad.sequence, bad.statuses, bad.rejected]).toEqual([2n, [], 0]);
  const message = `events: ${told}, must be 1 to 1000`;
  expect(bad.rejections).toMatchObject([{ index: 0, reason: RejectReason.TOO_MANY_EVENTS, message }]);
  expect(rig.publisher.names()).toEqual(["before", "after"]);
});

test("JSON requests can be streamed too, over HTTP/2", async () => {
  const requests = new Requests();
  requests.push(1, [
    { name: "x", eventId: "e" },
    { name: "", eventId: "" },
    { name: "x", eventId: "e" },
  ]);
  const transport = createConnectTransport({ baseUrl: rig.url, httpVersion: "2" });
  const headers = { authorization: `Bearer ${testKey("ffw_one")}` };
  const answers = createClient(CollectService, transport)
    .stream(requests, { headers })
    [Symbol.asyncIterator]();
  expect((await next(answers)).statuses).toEqual([ACCEPTED, REJECTED, DUPLICATE]);
  requests.end();
  expect((await answers.next()).done).toBe(true);
});

test("an unknown write key ends the stream: UNAUTHENTICATED", async () => {
  const { requests, answers } = open("");
  requests.send(1, "x");
  const error: unknown = await answers.next().catch((cause: unknown) => cause);
  expect((error as ConnectError).code).toBe(Code.Unauthenticated);
});

test("while ingest is away requests are answered UNAVAILABLE, and the stream goes on when it is back", async () => {
  const { requests, answers } = open();
  requests.send(1, "before");
  await next(answers);
  rig.ingest.kill();
  requests.send(2, "lost");
  expect(await next(answers)).toMatchObject({ sequence: 2n, statuses: [UNAVAILABLE], accepted: 0 });
  await rig.ingest.start();
  await vi.waitFor(async () => {
    requests.send(3, "after");
    expect((await next(answers)).statuses).toEqual([ACCEPTED]);
  }, 10_000);
  requests.end();
  expect((await answers.next()).done).toBe(true);
});

test("a client that goes away in the middle harms nobody else", async () => {
  const release = rig.publisher.hold();
  const gone = new AbortController();
  const requests = new Requests();
  const answers = rig.grpc().stream(requests, { signal: gone.signal })[Symbol.asyncIterator]();
  requests.send(1, "orphan");
  const first = answers.next().catch((cause: unknown) => cause);
  await vi.waitFor(() => expect(rig.publisher.arrived).toHaveLength(1));
  gone.abort();
  expect(await first).toBeInstanceOf(ConnectError);
  release();
  const other = open();
  other.requests.send(1, "other");
  expect((await next(other.answers)).accepted).toBe(1);
  other.requests.end();
  expect(rig.publisher.names()).toEqual(["orphan", "other"]);
});

test("a collector that shuts down answers the requests that it took, then ends the stream", async () => {
  const release = rig.publisher.hold();
  const { requests, answers } = open();
  requests.send(1, "taken");
  const answer = answers.next();
  await vi.waitFor(() => expect(rig.publisher.arrived).toHaveLength(1));
  const drained = rig.drain();
  release();
  expect((await answer).value).toMatchObject({ sequence: 1n, statuses: [ACCEPTED] });
  const end: unknown = await answers.next().catch((cause: unknown) => cause);
  expect((end as ConnectError).code).toBe(Code.Unavailable);
  await drained;
});

test("what a stream has carried does not count against the bytes that are being read", async () => {
  await rig.close();
  rig = await startRig({ maxReadingBytes: 64 << 10 });
  const { requests, answers } = open();
  const name = "x".repeat(1_000);
  for (let at = 1; at <= 200; at++) {
    requests.send(at, name);
    expect((await next(answers)).statuses).toEqual([ACCEPTED]);
  }
  requests.end();
  expect((await answers.next()).done).toBe(true);
  expect(rig.collector.limits.readingBytes).toBe(0);
});
