import { type AddressInfo, connect, createServer } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { EventStatus } from "../gen/footfall/collect/v1/collect_pb.js";
import { simulate } from "./run.ts";
import { type Script, ScriptedCollector } from "./scripted-collector.ts";
import { type RequestRecord, type SendOptions, type SendSummary, sendTraffic } from "./send.ts";
import { readSimulateConfig } from "./settings.ts";
import { liveTraffic } from "./traffic.ts";

let collector: ScriptedCollector | undefined;
afterEach(() => collector?.close());

async function run(script: Script, changes: Partial<SendOptions> = {}): Promise<SendSummary> {
  collector = new ScriptedCollector(script);
  const target = await collector.listen();
  const traffic = liveTraffic({ seed: 1, run: 1, merchants: 3, batch: 20 });
  const writeKeys = ["ffw_a", "ffw_b", "ffw_c"];
  return sendTraffic({ target, writeKeys, traffic, events: 1_000, rate: 0, inFlight: 4, ...changes });
}

function expectOneAnswerEach({ sent, accepted, duplicates, rejected, unanswered }: SendSummary): void {
  expect(accepted + duplicates + rejected + unanswered).toBe(sent);
}

test("a collector that works accepts every event, and each request is recorded", async () => {
  const keys = new Map<string, Set<string>>();
  const records: RequestRecord[] = [];
  const summary = await run(
    (request, context, self) => {
      const hosts = keys.getOrInsertComputed(context.requestHeader.get("authorization")!, () => new Set());
      for (const { url } of request.events) hosts.add(new URL(url).host);
      return self.store(request);
    },
    { onRequest: (record) => records.push(record) },
  );
  expect(summary).toMatchObject({ sent: 1_000, accepted: 1_000, duplicates: 0, retries: 0, unanswered: 0 });
  expect(collector!.stored.size).toBe(1_000);
  expect([...keys.keys()].sort()).toEqual(["Bearer ffw_a", "Bearer ffw_b", "Bearer ffw_c"]);
  expect([...keys.values()].every((hosts) => hosts.size === 1)).toBe(true);
  expect(records.length).toBe(summary.requests);
  expect(records.reduce((sum, { events }) => sum + events, 0)).toBe(1_000);
  expect(records.every(({ sentMs, ackedMs, tries }) => ackedMs >= sentMs && tries === 1)).toBe(true);
  expect(summary.ackLatency!.p99Ms).toBeGreaterThanOrEqual(summary.ackLatency!.p50Ms);
});

test("an answer that is lost is answered DUPLICATE the second time, and counted once", async () => {
  const summary = await run((request, _, self) => {
    const statuses = self.store(request);
    if (self.tries % 5 === 1) throw new ConnectError("the answer is lost", Code.Unavailable);
    return statuses;
  });
  expectOneAnswerEach(summary);
  expect(summary.duplicates).toBeGreaterThan(0);
  expect(summary).toMatchObject({ sent: 1_000, rejected: 0, unanswered: 0 });
  expect(collector!.stored.size).toBe(1_000);
});

test("connections that are cut in the middle lose and double nothing", async () => {
  const summary = await run(async (request, _, self) => {
    const statuses = self.store(request);
    if (self.tries % 9 === 3) self.cut();
    return statuses;
  });
  expectOneAnswerEach(summary);
  expect(summary.retries).toBeGreaterThan(0);
  expect(summary.unanswered).toBe(0);
  expect(collector!.stored.size).toBe(1_000);
});

test("only the events that were answered UNAVAILABLE are sent again", async () => {
  const seen = new Map<string, number>();
  const summary = await run((request) => {
    return request.events.map(({ eventId, name }) => {
      const times = (seen.get(eventId) ?? 0) + 1;
      seen.set(eventId, times);
      if (name === "search") return EventStatus.REJECTED;
      return name === "view_item" && times < 3 ? EventStatus.UNAVAILABLE : EventStatus.ACCEPTED;
    });
  });
  expectOneAnswerEach(summary);
  expect(new Set(seen.values())).toEqual(new Set([1, 3]));
  expect(summary.rejected).toBeGreaterThan(0);
  expect(summary.unanswered).toBe(0);
});

test("a limited client waits as long as it was asked to", async () => {
  const records: RequestRecord[] = [];
  const summary = await run(
    (request, _, self) => {
      if (self.tries > 1) return self.store(request);
      throw new ConnectError("over the limit", Code.ResourceExhausted, { "retry-after-ms": "400" });
    },
    { inFlight: 1, events: 20, onRequest: (record) => records.push(record) },
  );
  expect(summary).toMatchObject({ accepted: 20, retries: 1 });
  expect(records[0]!.ackedMs - records[0]!.sentMs).toBeGreaterThanOrEqual(395);
});

test("events that are UNAVAILABLE are sent again after the time told, not before", async () => {
  const records: RequestRecord[] = [];
  const summary = await run(
    (request, _, self) => {
      self.retryAfterMs = 400;
      return self.tries > 1 ? self.store(request) : request.events.map(() => EventStatus.UNAVAILABLE);
    },
    { inFlight: 1, events: 20, onRequest: (record) => records.push(record) },
  );
  expect(summary).toMatchObject({ accepted: 20, retries: 1 });
  expect(records[0]!.ackedMs - records[0]!.sentMs).toBeGreaterThanOrEqual(395);
});

test("what cannot be sent is given up in time, and a refusal for good at once", async () => {
  const down = await run(() => Promise.reject(new ConnectError("down", Code.Unavailable)), {
    events: 50,
    giveUpMs: 300,
  });
  expect(down).toMatchObject({ sent: 50, unanswered: 50, accepted: 0 });
  expect(down.retries).toBeGreaterThan(0);
  expect(down.seconds).toBeLessThan(5);
  expect(down.ackLatency).toBeUndefined();
  collector!.close();
  const refused = await run(() =>
    Promise.reject(new ConnectError("unknown write key", Code.Unauthenticated)),
  );
  expect(refused).toMatchObject({ sent: 1_000, unanswered: 1_000, retries: 0 });
  expect(Object.keys(refused.problems)).toEqual(["[unauthenticated] unknown write key"]);
});

test("a collector that is away for a while is waited for", async () => {
  const away = new ScriptedCollector((request, _, self) => self.store(request));
  const target = await away.listen();
  away.close();
  const later = new ScriptedCollector((request, _, self) => self.store(request));
  const traffic = liveTraffic({ seed: 1, run: 1, merchants: 1, batch: 20 });
  setTimeout(() => void later.listen(Number(new URL(target).port)), 300);
  const summary = await sendTraffic({ target, writeKeys: ["k"], traffic, events: 100, rate: 0, inFlight: 4 });
  later.close();
  expect(summary).toMatchObject({ sent: 100, accepted: 100, unanswered: 0 });
});

test("a connection that swallows everything is replaced by another", async () => {
  collector = new ScriptedCollector((request, _, self) => self.store(request));
  const { port } = new URL(await collector.listen());
  let connections = 0;
  const swallower = createServer((socket) => {
    if (++connections === 1) return;
    socket.on("error", () => {});
    const behind = connect(Number(port), "127.0.0.1");
    behind.on("error", () => {});
    socket.pipe(behind).pipe(socket);
  });
  await new Promise<void>((resolve) => swallower.listen(0, "127.0.0.1", resolve));
  const target = `http://127.0.0.1:${(swallower.address() as AddressInfo).port}`;
  const traffic = liveTraffic({ seed: 1, run: 1, merchants: 1, batch: 20 });
  const limits = { events: 100, rate: 0, inFlight: 4, tryMs: 300 };
  const summary = await sendTraffic({ target, writeKeys: ["k"], traffic, ...limits });
  swallower.close();
  expect(summary).toMatchObject({ sent: 100, accepted: 100, unanswered: 0 });
  expect(connections).toBe(2);
});

test("a signal ends the sending, and what is under way is still answered", async () => {
  const stop = new AbortController();
  const summary = await run(
    async (request, _, self) => {
      if (self.tries === 10) stop.abort();
      if (stop.signal.aborted && self.tries < 16) throw new ConnectError("restarting", Code.Unavailable);
      return self.store(request);
    },
    { events: 0, signal: stop.signal },
  );
  expectOneAnswerEach(summary);
  expect(summary.sent).toBeLessThan(16 * 20 + 1);
  expect(summary.unanswered).toBe(0);
  expect(collector!.stored.size).toBe(summary.sent);
});

test("a wanted rate is kept to", async () => {
  const summary = await run((request, _, self) => self.store(request), { events: 400, rate: 400 });
  expect(summary.seconds).toBeGreaterThan(0.85);
  expect(summary.seconds).toBeLessThan(3);
});

test("whatever the collector does, every event is counted exactly once", async () => {
  const mishap = fc.constantFrom("store", "store", "lose the answer", "fail", "cut", "some unavailable");
  await fc.assert(
    fc.asyncProperty(fc.array(mishap, { minLength: 1, maxLength: 12 }), async (mishaps) => {
      const summary = await run(
        (request, _, self) => {
          const what = mishaps[self.tries - 1] ?? "store";
          if (what === "fail") throw new ConnectError("down", Code.Unavailable);
          const statuses = self.store(request);
          if (what === "cut") self.cut();
          if (what === "lose the answer") throw new ConnectError("lost", Code.Internal);
          return what === "some unavailable"
            ? statuses.map((s, i) => (i % 2 ? s : EventStatus.UNAVAILABLE))
            : statuses;
        },
        { events: 200 },
      );
      expectOneAnswerEach(summary);
      expect(summary).toMatchObject({ sent: 200, unanswered: 0, rejected: 0 });
      expect(collector!.stored.size).toBe(200);
      collector!.close();
    }),
    { numRuns: 15 },
  );
});

test("the program prints one line of JSON, and fails when events stayed unanswered", async () => {
  collector = new ScriptedCollector(() => Promise.reject(new ConnectError("no", Code.PermissionDenied)));
  const target = await collector.listen();
  const flags = ["--target", target, "--write-keys", "a,b", "--events", "100", "--json"];
  const lines: string[] = [];
  const output = { result: (text: string) => lines.push(text) };
  const life = { stopping: new AbortController().signal };
  expect(await simulate(await readSimulateConfig(flags, {}), life, output)).toBe(1);
  expect(JSON.parse(lines.join())).toMatchObject({ sent: 100, unanswered: 100 });
});
