import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Installation } from "./installation.ts";

/**
 * The line with which a user imports an access log. The collector that it starts sends to the installation's ingest,
 * whose token is in a file that only the user may read: what stands in arguments, every user of the machine can.
 * @throws when the file cannot be written.
 */
export async function importLine(dataDir: string, { env }: Installation): Promise<string> {
  const settings = {
    FOOTFALL_INGEST_ADDRESS: env.FOOTFALL_INGEST_ADDRESS,
    FOOTFALL_INGEST_TOKEN: env.FOOTFALL_INGEST_TOKEN,
    FOOTFALL_COLLECTOR_OPS_PORT: "0",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  const file = join(dataDir, "import-log.env");
  await writeFile(file, lines.join(""), { mode: 0o600 });
  // A file that was there keeps the rights that it had.
  await chmod(file, 0o600);
  const command = `npx node --env-file=${quoted(file)} cmd/collector/main.ts`;
  return `FOOTFALL_COLLECTOR_ACCESS_LOG_KEY=WRITE_KEY ${command} --access-log /var/log/nginx/access.log --access-log-site https://shop.example`;
}

/** As a shell takes it for one word. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
