import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { testKey } from "../../../test/kit/keys.ts";
import { type Rig, type RigOptions, startRig } from "../testing/rig.ts";

let rig: Rig;
async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options);
}
afterEach(() => rig?.close());

interface Sending {
  readonly query?: string;
  readonly type?: string;
  readonly key?: string;
  readonly coding?: string;
  readonly method?: string;
}

interface Answer {
  readonly message?: string;
  readonly rejections?: readonly unknown[];
}

async function post(
  body: string | Uint8Array,
  { query = "", type, key = "ffw_one", coding, method }: Sending = {},
) {
  const headers: Record<string, string> = { authorization: key === "" ? "" : `Bearer ${testKey(key)}` };
  if (type !== undefined) headers["content-type"] = type;
  if (coding !== undefined) headers["content-encoding"] = coding;
  const response = await fetch(`${rig.url}/v1/logs${query}`, {
    method: method ?? "POST",
    headers,
    ...(method === "GET" ? {} : { body: body as string }),
  });
  return {
    status: response.status,
    headers: response.headers,
    answer: (await response.json()) as Answer,
  };
}

const now = () => {
  const [, day, month, year, time] = /\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date().toUTCString())!;
  return `${day}/${month}/${year}:${time} +0000`;
};
const line = (path: string) => `192.0.2.1 - - [${now()}] "GET ${path} HTTP/1.1" 200 12 "-" "Mozilla/5.0"`;
const urls = () => rig.publisher.rows().map(({ url }) => url);
const counts = (accepted: number, duplicates = 0, rejected = 0) => ({ accepted, duplicates, rejected });

describe("bodies", () => {
  beforeEach(() => start());
  const records = () => ["/a", "/b"].map((path) => ({ date: Date.now() / 1_000, log: line(path) }));

  // Fluent Bit's out_http: formats json, json_lines and json_stream; fluentd's out_http: x-ndjson, and json_array.
  test.each([
    ["json", "application/json", () => JSON.stringify(records())],
    [
      "json_stream",
      "application/json",
      () =>
        records()
          .map((record) => JSON.stringify(record))
          .join(""),
    ],
    [
      "json_lines",
      "application/x-ndjson",
      () =>
        records()
          .map((record) => `${JSON.stringify(record)}\n`)
          .join(""),
    ],
    [
      "fluentd",
      "application/x-ndjson",
      () => ["/a", "/b"].map((p) => `{"message":${JSON.stringify(line(p))}}\n`).join(""),
    ],
    ["one record, no type", "", () => `${JSON.stringify(records())}`],
    ["a list of lines", "application/json", () => JSON.stringify([line("/a"), line("/b")])],
    ["text", "text/plain; charset=utf-8", () => `${line("/a")}\r\n\r\n${line("/b")}`],
    ["text, as curl sends it", "application/x-www-form-urlencoded", () => `${line("/a")}\n${line("/b")}\n`],
  ])("%s", async (_, type, body) => {
    const { status, answer } = await post(body(), { type });
    expect([status, answer]).toEqual([200, { ...counts(2), formats: ["combined"], rejections: [] }]);
    expect(urls()).toEqual(["https://shop.example/a", "https://shop.example/b"]);
  });

  test.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
  ])("%s", async (coding, pack) => {
    expect((await post(pack(line("/a")), { coding })).answer).toMatchObject(counts(1));
  });

  test("a record that is itself what a server logged", async () => {
    const record = {
      ts: Date.now() / 1_000,
      logger: "http.log.access",
      msg: "handled request",
      request: {
        remote_ip: "192.0.2.1",
        method: "GET",
        host: "caddy.example",
        uri: "/c",
        tls: { version: 772 },
      },
      status: 200,
    };
    const { answer } = await post(JSON.stringify([record]), { type: "application/json" });
    expect(answer).toMatchObject({ ...counts(1), formats: ["Caddy JSON"] });
    expect(urls()).toEqual(["https://caddy.example/c"]);
  });

  test("the query tells the site and the format", async () => {
    const own = `GET|/q|200|${Date.now() / 1_000}`;
    const format = encodeURIComponent("$request_method|$request_uri|$status|$msec");
    const { answer } = await post(own, { query: `?site=https://other.example&format=${format}` });
    expect(answer).toMatchObject(counts(1));
    expect(urls()).toEqual(["https://other.example/q"]);
  });
});

describe("answers", () => {
  beforeEach(() => start());

  test("a line that is refused is told with its place, and stops nothing", async () => {
    const body = [line("/a"), "", "nonsense", line("/b").replace(" 200 ", " 999 ")].join("\n");
    const { status, answer } = await post(body);
    expect([status, answer]).toMatchObject([200, counts(1, 0, 2)]);
    expect(answer.rejections).toEqual([
      { index: 2, reason: "MALFORMED_LINE", message: expect.stringContaining("no known format") },
      { index: 3, reason: "MALFORMED_LINE", message: expect.stringContaining("status") },
    ]);
  });

  test("the same body sent again counts once, two equal lines in it twice", async () => {
    const body = `${line("/a")}\n`.repeat(2);
    expect((await post(body)).answer).toMatchObject(counts(2));
    expect((await post(body)).answer).toMatchObject(counts(0, 2));
    expect((await post(gzipSync(body), { coding: "gzip" })).answer).toMatchObject(counts(0, 2));
    expect((await post(body, { key: "ffw_two" })).answer).toMatchObject(counts(2));
    const ids = rig.publisher.rows().map(({ eventId }) => eventId);
    expect(new Set(ids).size).toBe(4);
  });

  test.each<[string, string | Uint8Array, Sending, number, string]>([
    ["an unknown write key", "x", { key: "ffw_nobody" }, 401, "unknown write key"],
    ["no key", "x", { key: "" }, 401, "authorization"],
    ["a format that is none", "x", { query: "?format=csv" }, 400, "is none of auto"],
    ["a site that is none", "x", { query: "?site=shop" }, 400, "site"],
    ["JSON that ends early", '[{"log":"x"', { type: "application/json" }, 400, "middle of a record"],
    ["no JSON", "hello", { type: "application/json" }, 400, "no JSON object at byte 0"],
    ["MessagePack", Uint8Array.of(0x92, 0xd7), { type: "application/msgpack" }, 400, "JSON or text"],
    ["a coding that is not kept to", "x", { coding: "gzip" }, 400, "is not gzip"],
    ["an unknown coding", "x", { coding: "snappy" }, 400, "content-encoding"],
    ["too many bytes", new Uint8Array((8 << 20) + 1), {}, 413, "more than 8388608 bytes"],
    ["too many bytes when unpacked", gzipSync(Buffer.alloc(9 << 20)), { coding: "gzip" }, 413, "more than"],
    ["another method", "", { method: "GET" }, 400, "must be POST"],
  ])("%s is an error that is not to be repeated", async (_, body, sending, code, message) => {
    const { status, answer, headers } = await post(body, sending);
    expect([status, answer.message]).toEqual([code, expect.stringContaining(message)]);
    expect(headers.get("retry-after")).toBeNull();
    expect((await post(line("/after"))).answer).toMatchObject(counts(1));
  });
});

test("over the merchant's rate lines wait; a body that would wait too long is to be sent again", async () => {
  await start({ merchantEventsPerSecond: 1_000, rateWindowSeconds: 1 });
  const body = Array.from({ length: 2_500 }, (_, at) => line(`/p${at}`)).join("\n");
  const began = performance.now();
  expect((await post(body)).answer).toMatchObject(counts(2_500));
  expect(performance.now() - began).toBeGreaterThan(900);
  await rig.close();
  await start({ merchantEventsPerSecond: 10, rateWindowSeconds: 1 });
  const { status, headers } = await post(body);
  expect(status).toBe(429);
  expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
});

test("what could not be stored is answered 503, and counts once when it is sent again", async () => {
  await start({ deliverTimeoutMs: 300 });
  expect((await post(line("/first"))).status).toBe(200);
  rig.ingest.kill();
  const body = [line("/a"), line("/b")].join("\n");
  const { status, headers } = await post(body);
  expect([status, headers.get("retry-after")]).toEqual([503, "1"]);
  await rig.ingest.start();
  await expect.poll(async () => (await post(body)).status, { timeout: 10_000 }).toBe(200);
  // A batch that was given up may have been stored all the same: the event's id tells that it is one.
  const again = rig.publisher.rows().filter(({ url }) => url !== "https://shop.example/first");
  expect(new Set(again.map(({ eventId }) => eventId)).size).toBe(2);
});

test("a body of 8 MB holds up the event loop for 20 ms at most", async () => {
  await start();
  const lines = Array.from({ length: 40_000 }, (_, at) => JSON.stringify({ date: 1, log: line(`/${at}`) }));
  // Computing time of each turn: a machine that tests share has pauses of its own.
  const turns: number[] = [];
  let last = process.threadCpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage();
    turns.push((user + system - last.user - last.system) / 1_000);
    last = { user, system };
  }, 1);
  const { answer } = await post(`[${lines.join(",")}]`, { type: "application/json" });
  clearInterval(timer);
  expect(answer).toMatchObject(counts(40_000));
  const over = turns.filter((ms) => ms > 20);
  // The first turns compile what they run; and this process is the client and ingest too.
  expect(over.length / turns.length).toBeLessThan(0.02);
});
