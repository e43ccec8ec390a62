import { parseArgs } from "node:util";
import { watchParent } from "../../internal/embedded/postgres/orphan-watch.ts";
import { serveTimescale } from "../../internal/embedded/postgres/run.ts";

const { values } = parseArgs({
  options: {
    "data-dir": { type: "string" },
    port: { type: "string" },
    host: { type: "string", default: "127.0.0.1" },
    "idle-in-transaction-ms": { type: "string", default: "30000" },
    "die-with-parent": { type: "boolean", default: false },
  },
});
const { "data-dir": dataDir, port } = values;
if (!dataDir || !port) {
  throw new Error("usage: timescale-embedded --data-dir DIR --port N [--host 127.0.0.1] [--die-with-parent]");
}
const served = await serveTimescale(dataDir, {
  host: values.host,
  port: Number(port),
  idleInTransactionMs: Number(values["idle-in-transaction-ms"]),
});

let stopping = false;
/** The first call closes cleanly, the second gives up. */
async function stop(): Promise<void> {
  if (stopping) process.exit(1);
  stopping = true;
  await served.close();
  process.exit(0);
}
process.on("SIGTERM", stop).on("SIGINT", stop);
if (values["die-with-parent"]) {
  process.stdin.on("end", stop).on("error", stop).resume();
  watchParent();
}
console.log(`ready ${served.port}`);
await served.died;
