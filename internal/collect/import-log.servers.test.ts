import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { testKey } from "../../test/kit/keys.ts";
import { type ImportSummary, importLog } from "./import-log.ts";
import { type Rig, startRig } from "./testing/rig.ts";

let folder: string;
let rig: Rig;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "footfall-import-"));
});
afterEach(async () => {
  await rig?.close();
  await rm(folder, { recursive: true });
});

/** Lines of an access log of today: old ones would be refused. */
function line(path: string): string {
  const [, day, month, year, time] = /\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date().toUTCString())!;
  return `192.0.2.1 - - [${day}/${month}/${year}:${time} +0000] "GET ${path} HTTP/1.1" 200 12 "-" "Mozilla/5.0"`;
}

async function importLines(
  lines: readonly string[],
  key = "ffw_one",
  onFormat: (message: string) => void = () => {},
): Promise<[ImportSummary, [number, string][]]> {
  const file = join(folder, "access.log");
  await writeFile(file, `${lines.join("\n")}\n`);
  const refused: [number, string][] = [];
  const summary = await importLog(rig.collector, rig.keys, {
    file,
    key: testKey(key),
    site: "https://shop.example",
    follow: false,
    signal: new AbortController().signal,
    onFormat,
    onRefused: (number, reason) => refused.push([number, reason]),
  });
  return [summary, refused];
}

test("a malformed line is rejected with its number as MALFORMED_LINE, and stops nothing", async () => {
  rig = await startRig();
  const [summary, refused] = await importLines([line("/a"), "no such line", "", line("/b")]);
  expect(summary).toEqual({ lines: 3, accepted: 2, duplicates: 0, rejected: 1 });
  expect(refused).toEqual([[2, expect.any(String)]]);
  const { values } = await rig.collector.metrics.rejected.get();
  expect(values).toMatchObject([{ labels: { reason: "MALFORMED_LINE" }, value: 1 }]);
  expect(rig.publisher.rows().map(({ name, url }) => [name, url])).toEqual([
    ["page_view", "https://shop.example/a"],
    ["page_view", "https://shop.example/b"],
  ]);
});

test("directives and blank lines are no lines, and the format is said once", async () => {
  rig = await startRig();
  const day = new Date().toISOString().slice(0, 10);
  const header = ["#Version: 1.0", "#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status"];
  const lines = [
    ...header,
    `${day} 00:00:01 192.0.2.1 GET /a q=1 200`,
    "",
    ...header,
    `${day} 00:00:02 192.0.2.1 GET /b - 404`,
  ];
  const formats: string[] = [];
  const [summary, refused] = await importLines(lines, "ffw_one", (message) => formats.push(message));
  expect([summary, refused]).toEqual([{ lines: 2, accepted: 2, duplicates: 0, rejected: 0 }, []]);
  expect(formats).toEqual(["access log: format W3C (IIS), found from the first 2 lines"]);
  expect(rig.publisher.rows().map(({ name, url }) => [name, url])).toEqual([
    ["page_view", "https://shop.example/a?q=1"],
    ["http_request", "https://shop.example/b"],
  ]);
});

test("2,500 lines go in requests of at most 1,000; read again, all are duplicates", async () => {
  rig = await startRig();
  const lines = Array.from({ length: 2_500 }, (_, at) => line(`/page-${at}`));
  expect((await importLines(lines))[0]).toMatchObject({ lines: 2_500, accepted: 2_500 });
  expect((await importLines(lines))[0]).toMatchObject({ accepted: 0, duplicates: 2_500 });
  expect(rig.publisher.rows()).toHaveLength(2_500);
});

test("the same log of another merchant is other events", async () => {
  rig = await startRig();
  await importLines([line("/a")]);
  const [summary] = await importLines([line("/a")], "ffw_two");
  expect(summary).toMatchObject({ accepted: 1, duplicates: 0 });
  const ids = rig.publisher.rows().map(({ eventId }) => eventId);
  expect(new Set(ids).size).toBe(2);
});

test("while ingest is away it waits, and then goes on", async () => {
  rig = await startRig({ deliverTimeoutMs: 300 });
  rig.ingest.kill();
  const imported = importLines([line("/a"), line("/b")]);
  // First the key cannot be looked up, which is seen on the link that fails at the same time.
  await vi.waitFor(() => expect(rig.linkStates.at(-1)).toMatch(/^ingest: /));
  await rig.ingest.start();
  expect((await imported)[0]).toEqual({ lines: 2, accepted: 2, duplicates: 0, rejected: 0 });
});

test("with a spool it reads on while ingest is away", async () => {
  rig = await startRig({ deliverTimeoutMs: 600_000, spool: { dir: join(folder, "spool") } });
  await importLines([line("/a")]);
  rig.ingest.kill();
  const [summary] = await importLines([line("/b"), line("/c")]);
  expect(summary).toEqual({ lines: 2, accepted: 2, duplicates: 0, rejected: 0 });
  expect(rig.spool!.totals.batches).toBe(1);
  await rig.ingest.start();
  await rig.spool!.emptied(new AbortController().signal);
  const pages = ["/a", "/b", "/c"].map((path) => `https://shop.example${path}`);
  expect(rig.publisher.rows().map(({ url }) => url)).toEqual(pages);
});

test("an unknown write key ends it", async () => {
  rig = await startRig();
  const unknown = importLines([line("/a")], "ffw_nobody");
  await expect(unknown).rejects.toMatchObject({ kind: "unauthenticated" });
});
