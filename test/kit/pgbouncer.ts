import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { type Child, startChild } from "../../internal/embedded/child.ts";
import { freePort } from "../../internal/embedded/free-port.ts";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import type { DebianProgram } from "./debian-programs.ts";

export interface Pgbouncer extends Pick<Child, "stop"> {
  /** postgres://..., through it. */
  readonly url: string;
}

/** Starts a PgBouncer before a PostgreSQL on this machine, with `pool_mode` and nothing else but its defaults. */
export async function startPgbouncer(
  { path, env }: DebianProgram,
  databasePort: number,
  poolMode: "session" | "transaction",
): Promise<Pgbouncer> {
  const directory = await temporaryDirectory("pgbouncer");
  const port = await freePort();
  const file = join(directory.path, "pgbouncer.ini");
  await writeFile(
    file,
    `[databases]
postgres = host=127.0.0.1 port=${databasePort} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${poolMode}
`,
  );
  // It does not run as root, and goes on as another user once it has read its file.
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const child = await startChild({
    command: path,
    args: [...user, file],
    env: { ...process.env, ...env },
    ready: () => answers(url),
    timeoutMs: 20_000,
  });
  const stop = async () => {
    await child.stop();
    await directory.remove();
  };
  return { url, stop };
}

/** Whether a database can be asked something. */
export async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}
