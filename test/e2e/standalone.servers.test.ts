import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import { createPool } from "../../internal/store/pool.ts";
import { createTestMerchant } from "../kit/installation.ts";
import { bearer, collectClient, grpcQueryClient } from "../kit/installation-clients.ts";
import { reportTotals, waitUntilReported } from "../kit/installation-reports.ts";
import { waitFor } from "../kit/installation-wait.ts";
import { launch, type Running } from "../kit/launch.ts";

const linux = test.skipIf(!existsSync("/proc/self/stat"));
const title = existsSync("/proc/self/stat") ? "" : "skipped: not on Linux; ";

const ROOT = join(import.meta.dirname, "../..");
const AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let running: Running | undefined;
beforeEach(async () => {
  directory = await temporaryDirectory("standalone");
});
afterEach(async () => {
  running?.process.kill("SIGTERM");
  await running?.finished;
  await directory.remove();
});

/** Starts `standalone` on free ports, as a user would; resolves when it says that it is up. */
async function startStandalone() {
  const args = ["--data-dir", directory.path, "--collector-port", "0", "--query-port", "0"];
  const started = launch("standalone", { args });
  running = started;
  let said = "";
  started.process.stderr!.on("data", (text: string) => {
    said += text;
  });
  await waitFor("standalone", () => said.includes("Ctrl-C stops everything"), 90_000);
  const address = (name: string) => new RegExp(`^${name} +(?:psql )?(\\S+)$`, "m").exec(said)![1]!;
  const pid = started.process.pid!;
  const importLine = /^access log (.+)$/m.exec(said)![1]!;
  const urls = { collector: address("collector"), query: address("query"), database: address("database") };
  return { ...started, ...urls, importLine, children: childrenOf(pid) };
}

/** Ids of the processes that a process has started. */
function childrenOf(parent: number): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      // The second field is the name in brackets, which may hold anything; then state and parent.
      return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ")[1]) === parent;
    } catch {
      return false;
    }
  });
}

/** Runs the line that imports a log, with a key and a log in the places where it says so. */
async function importLog(line: string, writeKey: string): Promise<unknown> {
  const file = join(directory.path, "access.log");
  const [, day, month, year, time] = /\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date().toUTCString())!;
  await writeFile(
    file,
    `192.0.2.1 - - [${day}/${month}/${year}:${time} +0000] "GET / HTTP/1.1" 200 9 "-" "${AGENT}" "-"\n`,
  );
  const command = line.replace("WRITE_KEY", writeKey).replace("/var/log/nginx/access.log", file);
  const { stdout } = await promisify(execFile)("sh", ["-c", command], { cwd: ROOT });
  return JSON.parse(stdout);
}

const gone = (pids: readonly number[]) => pids.every((pid) => !existsSync(`/proc/${pid}`));

linux(
  `${title}standalone serves what it says, SIGTERM ends all of it, and a restart has kept the data`,
  async () => {
    const first = await startStandalone();
    expect(first.children.length).toBe(6);
    const pool = createPool({
      url: first.database,
      name: "test",
      maxConnections: 1,
      statementTimeoutMs: 5_000,
    });
    const merchant = await createTestMerchant(pool);
    await pool.end();
    const event = { name: "page_view", eventId: "one" };
    await collectClient(first.collector).send({ events: [event] }, bearer(merchant.writeKey));
    await waitUntilReported(grpcQueryClient(first.query), merchant, Date.now());
    const imported = await importLog(first.importLine, merchant.writeKey);
    expect(imported).toEqual({ lines: 1, accepted: 1, duplicates: 0, rejected: 0 });
    first.process.kill("SIGTERM");
    expect((await first.finished).code).toBe(0);
    expect(gone(first.children)).toBe(true);
    const second = await startStandalone();
    const again = await collectClient(second.collector).send({ events: [event] }, bearer(merchant.writeKey));
    expect(again.accepted).toBe(1);
    await waitUntilReported(grpcQueryClient(second.query), merchant, Date.now());
    expect((await reportTotals(grpcQueryClient(second.query), merchant)).events).toBe(2n);
  },
  180_000,
);

linux(
  `${title}kill -9 of standalone leaves nothing running`,
  async () => {
    const { process: parent, children } = await startStandalone();
    parent.kill("SIGKILL");
    // A part whose peers are gone may close up to its deadline.
    await waitFor("the end of all parts", () => gone(children), 90_000);
  },
  180_000,
);
