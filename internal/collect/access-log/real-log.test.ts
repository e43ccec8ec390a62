import { existsSync } from "node:fs";
import { appendFile, copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Event } from "../../gen/footfall/event/v1/event_pb.js";
import { LineReader } from "./line-reader.ts";
import { readLog } from "./read-log.ts";
import type { LoggedRequest } from "./request.ts";
import { lineToEvent } from "./to-event.ts";

const ROOT = join(import.meta.dirname, "../../..");
const log = [join(ROOT, "../shared/data/access.log"), join(ROOT, "shared/data/access.log")].find(existsSync);
const title = log === undefined ? "skipped: ../shared/data/access.log is absent; " : "";
const real = test.skipIf(log === undefined);

async function requests(path: string) {
  const good: LoggedRequest[] = [];
  const bad: string[] = [];
  const reader = new LineReader({ format: "auto" });
  for await (const lines of readLog(path)) {
    for (const { text } of lines) {
      const parsed = reader.read(text)!;
      if (parsed.ok) good.push(parsed.request);
      else bad.push(text);
    }
  }
  return { good, bad };
}

function count(values: readonly unknown[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(values, String)].map(([value, all]) => [value, all.length]));
}

/** The fields by position, as awk would take them; the log's own line with an open quote is among them. */
async function awkFields(path: string) {
  const lines = (await readFile(path, "latin1")).trimEnd().split("\n");
  return lines.map((line) => {
    const words = line.split(" ");
    return { ip: words[0]!, day: words[3]!.slice(1, 12), method: words[5]!.slice(1), status: words[8]! };
  });
}

real(`${title}the real log: one line is malformed, and the counts are those of its README`, async () => {
  const { good, bad } = await requests(log!);
  expect(bad.length).toBe(1);
  expect(bad[0]).toMatch(/"Mozilla\/5\.0 \(compatible; Googlebot[^"]*$/);
  expect(good.length).toBe(9_999);
  // The README counts all 10,000 lines: the malformed one is a GET answered 200, on 20 May.
  const fields = await awkFields(log!);
  expect(new Set(fields.map(({ ip }) => ip)).size).toBe(1_753);
  expect(new Set(good.map(({ ip }) => ip)).size).toBe(1_753);
  expect(count(good.map(({ method }) => method))).toEqual({ GET: 9_951, HEAD: 42, POST: 5, OPTIONS: 1 });
  expect(count(good.map(({ status }) => status))).toEqual({
    "200": 9_125,
    "304": 445,
    "404": 213,
    "301": 164,
    "206": 45,
    "500": 3,
    "416": 2,
    "403": 2,
  });
  const days = good.map(({ timeMs }) => new Date(timeMs).toISOString().slice(0, 10));
  expect(count(days)).toEqual({
    "2015-05-17": 1_632,
    "2015-05-18": 2_893,
    "2015-05-19": 2_896,
    "2015-05-20": 2_578,
  });
});

real(`${title}the real log agrees with its fields by position`, async () => {
  const { good } = await requests(log!);
  const fields = (await awkFields(log!)).filter((_, index) => index !== 8_898);
  expect(count(good.map(({ ip }) => ip))).toEqual(count(fields.map(({ ip }) => ip)));
  expect(count(good.map(({ method }) => method))).toEqual(count(fields.map(({ method }) => method)));
  expect(count(good.map(({ status }) => status))).toEqual(count(fields.map(({ status }) => status)));
});

real(`${title}the real log read again, from a copy that has grown, gives the same ids`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "footfall-log-"));
  const copy = join(folder, "other-name.log");
  await copyFile(log!, copy);
  await appendFile(copy, await readFile(log!));
  const first = await events(log!);
  const second = await events(copy);
  await rm(folder, { recursive: true });
  const ids = (all: Event[]) => all.map(({ eventId }) => eventId);
  expect(new Set(ids(first)).size).toBe(9_999);
  expect(ids(second).slice(0, 9_999)).toEqual(ids(first));
  expect(new Set(ids(second)).size).toBe(2 * 9_999);
});

real(`${title}pages of the real log are told from their parts`, async () => {
  const all = await events(log!);
  const named = count(all.map(({ name }) => name));
  const pages = all.filter(({ name }) => name === "page_view").map(({ url }) => url);
  expect(named.page_view! + named.http_request!).toBe(9_999);
  expect(pages.some((url) => /\.(png|css|ico|jpg|js|ttf|txt)(\?|$)|flav=|robots/.test(url))).toBe(false);
  const html = /^\S+ \S+ \S+ \[[^\]]+\] "GET [^ ?"]*\.html(\?\S*)? [^"]*" (2\d\d|304) .*"$/;
  const lines = (await readFile(log!, "latin1")).split("\n").filter((line) => html.test(line));
  expect(pages.filter((url) => new URL(url).pathname.endsWith(".html")).length).toBe(lines.length);
});

async function events(path: string): Promise<Event[]> {
  const found: Event[] = [];
  const reader = new LineReader({ format: "auto" });
  for await (const lines of readLog(path)) {
    for (const line of lines) {
      const options = { merchant: "m1", site: "https://www.semicomplete.example" };
      const result = lineToEvent(reader.read(line.text)!, line, options);
      if (result.ok) found.push(result.event);
    }
  }
  return found;
}
