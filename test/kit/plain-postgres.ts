import { execFile, execFileSync } from "node:child_process";
import { chown, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { startChild } from "../../internal/embedded/child.ts";
import { freePort } from "../../internal/embedded/free-port.ts";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import type { DebianProgram } from "./debian-programs.ts";
import { answers } from "./pgbouncer.ts";

const run = promisify(execFile);

/** A PostgreSQL of many sessions, without TimescaleDB: for what the embedded database, which has one session, cannot show. */
export interface PlainPostgres {
  /** postgres://postgres@127.0.0.1:PORT/postgres; the user is a superuser and needs no password. */
  readonly url: string;
  readonly port: number;
  readonly directory: string;
  close(): Promise<void>;
}

/** PostgreSQL does not run as root. */
const USER = "nobody";

/**
 * Starts one in a temporary folder.
 * @param settingsIn of postgresql.conf; it may put files that they name into the folder.
 */
export async function startPlainPostgres(
  { path, env }: DebianProgram,
  settingsIn: (directory: string) => Promise<Readonly<Record<string, string>>> = async () => ({}),
): Promise<PlainPostgres> {
  const directory = await temporaryDirectory("postgres");
  const owner = process.getuid?.() === 0 ? userIds() : undefined;
  const settings = await settingsIn(directory.path);
  for (const name of owner === undefined ? [] : [".", ...(await readdir(directory.path))]) {
    await chown(join(directory.path, name), owner!.uid, owner!.gid);
  }
  const as = owner === undefined ? [] : ["--reuid", USER, "--regid", String(owner.gid), "--clear-groups"];
  const environment = { ...process.env, ...env };
  const dataDir = join(directory.path, "data");
  const initdb = join(dirname(path), "initdb");
  const options = ["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--locale=C"];
  await run("setpriv", [...as, initdb, "-D", dataDir, ...options], { env: environment, cwd: "/" });
  const port = await freePort();
  const all = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: directory.path,
    fsync: "off",
    max_connections: "200",
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const child = await startChild({
    command: "/usr/bin/setpriv",
    args: [...as, path, "-D", dataDir, ...flags],
    env: environment,
    ready: () => answers(url),
    timeoutMs: 30_000,
  });
  const close = async () => {
    await child.stop();
    await directory.remove();
  };
  return { url, port, directory: directory.path, close };
}

function userIds(): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync("id", [flag, USER], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}
