import { CopyInput, detectCopyFromStdin } from "./copy.ts";
import type { Engine } from "./engine.ts";
import { type Frame, FramingError } from "./framing.ts";
import type { Gate } from "./gate.ts";
import { closeStatement, copyInResponse, Msg, sync, type TransactionStatus } from "./messages.ts";
import type { Session, SessionSwitch } from "./session.ts";
import { cstring, type Statements } from "./statements.ts";

/** What all connections of a server share. */
export interface Shared {
  readonly engine: Engine;
  readonly gate: Gate;
  readonly sessions: SessionSwitch;
  /** Brings NotificationResponse messages to the connections that listen. */
  notify(notifications: Buffer[]): void;
}

/** How a conversation reaches its client. */
export interface Client {
  readonly gone: boolean;
  send(parts: readonly Buffer[]): void;
}

/** A pipeline without Sync is run from this size on, and then holds the database until its Sync. */
const MAX_PIPELINE_BYTES = 16 << 20;

/** SQL is searched for SET, LISTEN and the like only this far, so that long INSERTs cost nothing. */
const NOTED_SQL_BYTES = 64 << 10;

const PIPELINED: ReadonlySet<number> = new Set([Msg.Parse, Msg.Bind, Msg.Describe, Msg.Execute, Msg.Close]);
const RUN_AT_ONCE: ReadonlySet<number> = new Set([Msg.Query, Msg.FunctionCall, Msg.Sync, Msg.Flush]);

/**
 * One client's messages after the startup: gathers what belongs together, gets the database, runs it.
 * Messages are passed in one at a time, each after the one before has been handled.
 */
export class Conversation {
  readonly #shared: Shared;
  readonly #client: Client;
  readonly #session: Session;
  readonly #statements: Statements;
  /** Inputs not yet run: one message each, or a COPY with its data. */
  #pipeline: Buffer[][] = [];
  #pipelineBytes = 0;
  /** Parse of the unnamed statement that this pipeline relies on without containing it. */
  #reparse: Buffer | null = null;
  #parsesUnnamed = false;
  #copy: CopyInput | null = null;
  #status: TransactionStatus = "I";
  #ended = false;

  constructor(shared: Shared, client: Client, session: Session, statements: Statements) {
    this.#shared = shared;
    this.#client = client;
    this.#session = session;
    this.#statements = statements;
  }

  /** Whether the connection keeps the database from all others. */
  get owns(): boolean {
    return this.#shared.gate.holds(this);
  }

  /**
   * Handles one message; resolves when it has been run or put aside. Throws FramingError for a message that no
   * frontend sends here (the database would die of it), EngineError if the client's settings are refused.
   */
  async handle(frame: Frame): Promise<void> {
    if (this.#copy) return this.#handleCopy(this.#copy, frame);
    if (frame.type === Msg.CopyData || frame.type === Msg.CopyDone || frame.type === Msg.CopyFail) return;
    const runs = RUN_AT_ONCE.has(frame.type);
    if (!runs && !PIPELINED.has(frame.type)) throw new FramingError(`invalid message type ${frame.type}`);
    if (frame.type === Msg.Query && this.#startsCopy(frame)) return;
    this.#add(frame);
    if (runs || this.#pipelineBytes > MAX_PIPELINE_BYTES) await this.#run();
  }

  /** Rolls back, frees what the connection has left in the session and hands the database over. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const { engine, gate, sessions } = this.#shared;
    await gate.acquire(this);
    engine.abandonTransaction();
    for (const name of this.#statements.internalNames()) engine.exchange([closeStatement(name)]);
    engine.exchange([sync()]);
    sessions.end(this.#session);
    gate.release(this);
  }

  /** Answers a COPY FROM STDIN itself; the database sees it only when its data is complete. */
  #startsCopy(frame: Frame): boolean {
    if (this.#status === "E" || this.#pipeline.length > 0) return false;
    const copy = detectCopyFromStdin(sqlOf(frame));
    if (!copy) return false;
    this.#statements.forgetUnnamed();
    this.#copy = new CopyInput(frame.bytes);
    this.#client.send([copyInResponse(copy.binary)]);
    return true;
  }

  async #handleCopy(copy: CopyInput, frame: Frame): Promise<void> {
    if (frame.type === Msg.CopyData) return copy.add(frame.bytes);
    if (frame.type === Msg.Flush || frame.type === Msg.Sync) return;
    if (frame.type !== Msg.CopyDone && frame.type !== Msg.CopyFail) {
      throw new FramingError(`unexpected message type ${frame.type} during COPY from stdin`);
    }
    this.#copy = null;
    this.#pipeline.push(copy.finish(frame.bytes));
    await this.#run();
  }

  #add(frame: Frame): void {
    if (frame.type === Msg.Query || frame.type === Msg.Parse) this.#session.note(sqlOf(frame));
    if (frame.type === Msg.Query) this.#statements.forgetUnnamed();
    if (frame.type === Msg.Parse && frame.bytes[5] === 0) this.#parsesUnnamed = true;
    if (!this.#parsesUnnamed && this.#statements.usesUnnamed(frame)) {
      this.#reparse = this.#statements.unnamedParse;
    }
    this.#pipeline.push([this.#statements.rename(frame).bytes]);
    this.#pipelineBytes += frame.bytes.length;
  }

  async #run(): Promise<void> {
    const inputs = this.#pipeline;
    const reparse = this.#reparse;
    this.#pipeline = [];
    this.#pipelineBytes = 0;
    this.#reparse = null;
    this.#parsesUnnamed = false;
    const { engine, gate, sessions } = this.#shared;
    await gate.acquire(this);
    // A client that left while waiting wants nothing any more; `end` releases the gate.
    if (this.#client.gone) return;
    const othersHadIt = this.#status === "I" && sessions.activate(this.#session);
    if (othersHadIt && reparse) this.#exchange([reparse], Msg.ParseComplete);
    let idle = false;
    for (const input of inputs) idle = this.#exchange(input) === "I";
    if (!idle) return;
    this.#session.restoreDefaults(engine);
    this.#session.read(engine);
    gate.release(this);
  }

  /** Runs one input and sends the answer on; an answer of only the `silent` message is left out. */
  #exchange(input: Buffer[], silent?: number): TransactionStatus | null {
    const reply = this.#shared.engine.exchange(input);
    const isSilent = silent !== undefined && reply.forward[0]?.[0] === silent;
    if (!isSilent) this.#client.send(reply.forward);
    if (reply.notifications.length > 0) this.#shared.notify(reply.notifications);
    if (reply.status) this.#status = reply.status;
    return reply.status;
  }
}

/** The SQL of a Query or Parse message, cut at NOTED_SQL_BYTES. */
function sqlOf({ type, bytes }: Frame): string {
  const start = type === Msg.Parse ? cstring(bytes, 5).end : 5;
  return bytes.toString("utf8", start, Math.min(start + NOTED_SQL_BYTES, bytes.length - 1));
}
