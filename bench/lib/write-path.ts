import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Child } from "../../internal/embedded/child.ts";
import { freePort } from "../../internal/embedded/free-port.ts";
import { startProgram } from "../../internal/standalone/programs.ts";
import { createMerchant } from "../../internal/store/merchants.ts";
import type { Servers } from "./servers.ts";

/** Starts ingest and the collector, by whose limits one merchant may send as much as goes. */
export async function startWritePath({ databaseUrl, natsUrl, natsPid }: Servers, programs: Child[]) {
  const ingestPort = await freePort();
  const port = await freePort();
  const env = {
    DATABASE_URL: databaseUrl,
    NATS_URL: natsUrl,
    FOOTFALL_INGEST_PORT: String(ingestPort),
    FOOTFALL_INGEST_ADDRESS: `127.0.0.1:${ingestPort}`,
    FOOTFALL_INGEST_TOKENS: "bench",
    FOOTFALL_INGEST_TOKEN: "bench",
    FOOTFALL_COLLECTOR_PORT: String(port),
    FOOTFALL_COLLECTOR_MERCHANT_EVENTS_PER_SECOND: "0",
    FOOTFALL_COLLECTOR_MERCHANT_SHARE: "100",
    FOOTFALL_LOG_LEVEL: "warn",
  };
  const pids: Record<string, number> = natsPid === undefined ? {} : { nats: natsPid };
  let opsPort = 0;
  for (const name of ["ingest", "collector"] as const) {
    opsPort = await freePort();
    const program = await startProgram(name, opsPort, env);
    programs.push(program);
    pids[name] = program.pid;
  }
  return { address: `127.0.0.1:${port}`, opsPort, pids };
}

/** The write keys of as many new merchants. */
export function writeKeys({ pool }: Servers, merchants: number): Promise<string[]> {
  const shop = { name: "bench", timeZone: "UTC", currency: "EUR", retentionDays: 400 };
  const made = Array.from({ length: merchants }, () => createMerchant(pool, shop));
  return Promise.all(made.map(async (merchant) => (await merchant).writeKey));
}

/** A client in a process of its own, which answers each task with what it saw. @param file in this folder. */
export async function forkClient<Task extends object, Seen>(file: string, args: readonly string[]) {
  // Bytes and dates arrive as they are.
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [...args], { serialization: "advanced" });
  await reply(child);
  return {
    pid: child.pid ?? 0,
    run(task: Task): Promise<Seen> {
      child.send(task);
      return reply(child) as Promise<Seen>;
    },
    stop: () => child.disconnect(),
  };
}

/** The client's next message. @throws what the client reports, or its early end. */
function reply(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`client: ended with ${code}`));
    child.once("exit", ended);
    child.once("message", (message: { error?: string }) => {
      child.off("exit", ended);
      if (message.error === undefined) resolve(message);
      else reject(new Error(`client: ${message.error}`));
    });
  });
}

/** ms, to a tenth. */
export function quantileMs(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Number(
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1),
  );
}
