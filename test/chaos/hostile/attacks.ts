import { setImmediate as turn } from "node:timers/promises";
import { uuidV7 } from "../../../internal/simulate/ids.ts";
import type { Random } from "../../../internal/simulate/random.ts";
import { newKeyText } from "../../../internal/store/key-text.ts";
import { absurdOrder, CROWDED_EVENTS, EMPTY_EVENTS, hostileUrls, malformed } from "./bodies.ts";
import type { Sent } from "./sent.ts";
import type { Answer, Target } from "./target.ts";

/** One way to do harm. @returns the answers that came. */
export type Attack = (target: Target, random: Random, sent: Sent) => Promise<(Answer | undefined)[]>;

const SEND = "/footfall.collect.v1.CollectService/Send";
const RUN_REPORT = "/footfall.query.v1.QueryService/RunReport";
const WATCH = "/grpc.health.v1.Health/Watch";
const REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const JSON_TYPE = { "content-type": "application/json" };
const BINARY_TYPE = { "content-type": "application/proto" };
const GZIP = { "content-encoding": "gzip" };

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const many = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));

/** All attacks, by name. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  "millions of empty events": (target, random) => {
    const form = random.of(["json", "binary"] as const);
    const type = form === "json" ? JSON_TYPE : BINARY_TYPE;
    return Promise.all(many(3, () => send(target, EMPTY_EVENTS[form], { ...type, ...GZIP })));
  },
  "events crowded with nothing": (target) =>
    Promise.all(CROWDED_EVENTS.map((body) => send(target, body, { ...BINARY_TYPE, ...GZIP }))),
  "urls that are slow to clean": (target, random) =>
    Promise.all(many(2, () => send(target, hostileUrls(random), JSON_TYPE))),
  "bytes that are no message": (target, random) =>
    Promise.all(
      many(50, (at) => {
        const [port, path, key] = at % 2 === 0 ? collector(target) : query(target);
        return target.post(port, path, { ...BINARY_TYPE, ...bearer(key) }, malformed(random));
      }),
    ),
  "unknown write keys": (target) =>
    Promise.all(
      many(200, (at) => {
        const [port, path] = at % 2 === 0 ? collector(target) : query(target);
        // Half of them have a key's form, which costs a look-up.
        const unknown = newKeyText(at % 2 === 0 ? "write" : "read").slice(0, at % 4 < 2 ? undefined : -1);
        return target.post(port, path, { ...JSON_TYPE, ...bearer(unknown) }, "{}");
      }),
    ),
  "heavy questions": async (target) => {
    const [port, path, key] = query(target);
    const body = JSON.stringify({
      scope: { accuracy: "ACCURACY_EXACT" },
      period: { dates: { startDate: "2024-12-01", endDate: "2026-12-31" } },
      metrics: ["visitors", "sessions", "revenue"],
      dimensions: ["page"],
      pageSize: 1_000,
    });
    return Promise.all(many(40, () => target.post(port, path, { ...JSON_TYPE, ...bearer(key) }, body)));
  },
  "absurd orders": (target, random, sent) => {
    const ids = many(100, () => uuidV7(Date.now(), random));
    return sendEvents(target, ids, sent, (id) => absurdOrder(id, random));
  },
  "old times in ids": (target, random, sent) => {
    const ids = many(20, () => uuidV7(Date.UTC(2021, random.below(12)), random));
    return sendEvents(target, [...ids, ...ids, ...ids], sent, (eventId) => ({
      eventId,
      name: "page_view",
      visitorId: "hostile",
    }));
  },
  "silent and unfinished connections": async (target, random) => {
    const unfinished = [
      "",
      "POST / HTTP/1.1\r\nx: ",
      `POST ${SEND} HTTP/1.1\r\nhost: a\r\ncontent-length: 9999\r\n\r\n{`,
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    many(300, () => target.connect(port(target, random)).write(random.of(unfinished)));
    await target.ended();
    return [];
  },
  "streams that stay": async (target, random) => {
    const session = target.connectHttp2(port(target, random));
    many(500, (at) => {
      const path = at % 2 === 0 ? WATCH : REFLECTION;
      const headers = {
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers",
      };
      session
        .request(headers)
        .on("error", () => {})
        .resume()
        .write(Buffer.alloc(5));
    });
    await target.ended();
    return [];
  },
  "streams begun and reset": async (target, random) => {
    const session = target.connectHttp2(port(target, random));
    for (let at = 0; at < 2_000 && !session.destroyed; at++) {
      session
        .request({ ":method": "POST", ":path": SEND })
        .on("error", () => {})
        .close(8);
      if (at % 50 === 0) await turn();
    }
    session.destroy();
    return [];
  },
};

type Door = readonly [port: number, path: string, key: string];
const collector = ({ collectorPort, merchant }: Target): Door => [collectorPort, SEND, merchant.writeKey];
const query = ({ queryPort, merchant }: Target): Door => [queryPort, RUN_REPORT, merchant.readKey];
const port = ({ collectorPort, queryPort }: Target, random: Random) => random.of([collectorPort, queryPort]);

function send(target: Target, body: Buffer | string, headers: Record<string, string>) {
  const [port, path, key] = collector(target);
  return target.post(port, path, { ...headers, ...bearer(key) }, body);
}

/** Sends events in one request each, so that a repeat never stands beside its first, and writes the answers down. */
async function sendEvents(
  target: Target,
  ids: readonly string[],
  sent: Sent,
  event: (id: string) => object,
): Promise<(Answer | undefined)[]> {
  const answers: (Answer | undefined)[] = [];
  for (const id of ids) {
    sent.add(id);
    const answer = await send(target, JSON.stringify({ events: [event(id)] }), JSON_TYPE);
    if (answer?.status === 200 && /EVENT_STATUS_(ACCEPTED|DUPLICATE)/.test(answer.body)) sent.ack(id);
    answers.push(answer);
  }
  return answers;
}
