import { execFile } from "node:child_process";
import { closeSync, fsyncSync, openSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type Child, startChild } from "../../../internal/embedded/child.ts";
import { freePort } from "../../../internal/embedded/free-port.ts";
import { createPool, type Pool, transaction } from "../../../internal/store/pool.ts";
import type { DebianProgram } from "../../kit/debian-programs.ts";
import { killChild, type Part } from "../part.ts";

const run = promisify(execFile);

/** PostgreSQL does not run as root: nobody's number, the same on every Debian. */
export const POSTGRES_USER = 65_534;
const AS_USER = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];

const PARTITIONS = 16;

/**
 * PostgreSQL as it comes (fsync and synchronous_commit are on), with a write-ahead log so short that checkpoints and
 * reused segments are part of a round. An event is acked when the commit of its row and position has been.
 */
export class PostgresPart implements Part {
  readonly #program: DebianProgram;
  readonly #data: string;
  #server: Child | undefined;
  #pool: Pool | undefined;
  #sent = 0;

  /** @param program `postgres`. @param folder on the disk; the user's own. */
  constructor(program: DebianProgram, folder: string) {
    this.#program = program;
    this.#data = join(folder, "data");
  }

  async start(): Promise<void> {
    const isNew = this.#pool === undefined;
    if (isNew) await this.#initialise();
    const port = await freePort();
    const options = { fsync: "on", port, listen_addresses: "127.0.0.1", unix_socket_directories: "" };
    const sizes = { max_wal_size: "4MB", min_wal_size: "2MB", shared_buffers: "16MB" };
    const settings = Object.entries({ ...options, ...sizes }).flatMap(([key, value]) => [
      "-c",
      `${key}=${value}`,
    ]);
    await this.#pool?.end();
    this.#pool = createPool({
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      name: "power-loss",
      maxConnections: 16,
      statementTimeoutMs: 10_000,
    });
    this.#server = await startChild({
      command: "setpriv",
      args: [...AS_USER, "--pdeathsig", "TERM", this.#program.path, "-D", this.#data, ...settings],
      env: { ...process.env, ...this.#program.env },
      ready: () => this.#answers(),
      timeoutMs: 60_000,
    });
    if (!isNew) return;
    await this.#pool.query("CREATE TABLE committed (id uuid PRIMARY KEY, partition integer, seq bigint)");
    await this.#pool.query("CREATE TABLE positions (partition integer PRIMARY KEY, seq bigint)");
    await this.#pool.query(
      "INSERT INTO positions SELECT partition, 0 FROM generate_series(1, $1) partition",
      [PARTITIONS],
    );
  }

  async #initialise(): Promise<void> {
    const { path, env } = this.#program;
    const initdb = join(dirname(path), "initdb");
    const options = [
      "-D",
      this.#data,
      "-U",
      "postgres",
      "--wal-segsize",
      "1",
      "--auth",
      "trust",
      "--locale=C",
    ];
    await run("setpriv", [...AS_USER, initdb, ...options], { env: { ...process.env, ...env }, cwd: "/" });
    // initdb fsyncs all but the name of the data's folder, which was there long before a cut.
    const folder = openSync(dirname(this.#data), "r");
    fsyncSync(folder);
    closeSync(folder);
  }

  async ready(): Promise<void> {}

  /** As the aggregator commits: the row and the position behind it in one transaction. */
  async send(id: string): Promise<void> {
    const partition = 1 + (this.#sent++ % PARTITIONS);
    await transaction(this.#pool!, async (client) => {
      await client.query(
        `WITH moved AS (UPDATE positions SET seq = seq + 1 WHERE partition = $2 RETURNING seq)
         INSERT INTO committed SELECT $1, $2, seq FROM moved`,
        [id, partition],
      );
    });
  }

  /** The server and each of its backends. */
  async kill(): Promise<void> {
    const children = childrenOf(this.#server!.pid);
    await killChild(this.#server);
    for (const child of children) {
      try {
        process.kill(child, "SIGKILL");
      } catch {
        // It went with the server.
      }
    }
  }

  async stored(): Promise<string[]> {
    const { rows: torn } = await this.#pool!.query(
      `SELECT p.partition, p.seq, count(c.id) AS rows FROM positions p LEFT JOIN committed c USING (partition)
       GROUP BY p.partition, p.seq HAVING p.seq <> count(c.id)`,
    );
    if (torn.length > 0) throw new Error(`positions and rows differ: ${JSON.stringify(torn)}`);
    const { rows } = await this.#pool!.query<{ id: string }>("SELECT id FROM committed");
    return rows.map(({ id }) => id);
  }

  async close(): Promise<void> {
    if (this.#server !== undefined) await this.kill();
    await this.#pool?.end();
  }

  async #answers(): Promise<boolean> {
    try {
      await this.#pool!.query("SELECT 1");
      return true;
    } catch {
      return false;
    }
  }
}

/** Processes that a process has started; none when it is gone. */
function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  } catch {
    return [];
  }
}
