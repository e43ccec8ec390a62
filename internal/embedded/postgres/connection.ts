import type { Socket } from "node:net";
import { Conversation, type Shared } from "./conversation.ts";
import { EngineError } from "./engine.ts";
import { FrameReader, FramingError } from "./framing.ts";
import {
  authenticationOk,
  backendKeyData,
  fatal,
  Msg,
  negotiateProtocolVersion,
  parameterStatus,
  readyForQuery,
} from "./messages.ts";
import { Session } from "./session.ts";
import { readStartup, type Startup } from "./startup.ts";
import { Statements } from "./statements.ts";

/** How one connection differs from the next, and what it has to know of its server. */
export interface ConnectionOptions {
  /** Unique within the server; also its "process id". */
  readonly id: number;
  readonly serverVersion: string;
  /**
   * Milliseconds without a message, while owning the database, after which the connection is ended. Less if the
   * client asks for less (idle_in_transaction_session_timeout).
   */
  readonly idleInTransactionMs: number;
}

/** What a client that does not read its FATAL message gets before the socket is cut, in milliseconds. */
const LAST_WORDS_MS = 1_000;

/** One client: its socket, its startup and its idle timer. */
export class Connection {
  readonly #shared: Shared;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #reader = new FrameReader();
  #session: Session | null = null;
  #conversation: Conversation | null = null;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(shared: Shared, socket: Socket, options: ConnectionOptions) {
    this.#shared = shared;
    this.#socket = socket;
    this.#options = options;
    socket.setNoDelay(true);
  }

  get listens(): boolean {
    return this.#session?.listens ?? false;
  }

  get gone(): boolean {
    return this.#socket.destroyed || this.#socket.writableEnded;
  }

  send(parts: readonly Buffer[]): void {
    if (this.gone) return;
    this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    process.nextTick(() => this.#socket.uncork());
  }

  /** Serves the client until it leaves. Rejects only if the database died. */
  async serve(): Promise<void> {
    try {
      for await (const chunk of chunksOf(this.#socket)) {
        clearTimeout(this.#idleTimer);
        this.#reader.push(chunk);
        if (!(await this.#handleBuffered())) break;
        this.#watchIdleness();
        await drained(this.#socket);
      }
    } catch (error) {
      if (error instanceof FramingError) this.close("08P01", error.message);
      else if (error instanceof EngineError) this.close(error.code, error.message);
      else throw error;
    } finally {
      clearTimeout(this.#idleTimer);
      this.#socket.destroySoon();
    }
    await this.#conversation?.end();
  }

  /** Says why with a FATAL error and closes the socket; `serve` then cleans up. `code` is the SQLSTATE. */
  close(code: string, reason: string): void {
    if (this.gone) return;
    this.send([fatal(code, reason)]);
    this.#socket.destroySoon();
    setTimeout(() => this.#socket.destroy(), LAST_WORDS_MS).unref();
  }

  /** Handles every message that is complete; false when the client says goodbye. */
  async #handleBuffered(): Promise<boolean> {
    while (!this.gone) {
      if (!this.#conversation) {
        const body = this.#reader.nextStartup();
        if (!body) return true;
        if (!this.#start(readStartup(body))) return false;
        continue;
      }
      const frame = this.#reader.next();
      if (!frame) return true;
      if (frame.type === Msg.Terminate) return false;
      await this.#conversation.handle(frame);
    }
    return false;
  }

  /** Answers a startup-like packet; false if there is nothing more to say on this connection. */
  #start(startup: Startup): boolean {
    // One database call runs at a time and cannot be interrupted, so there is nothing to cancel.
    if (startup.kind === "cancel") return false;
    if (startup.kind === "encryption") {
      this.send([Buffer.from("N")]);
      return true;
    }
    const { id } = this.#options;
    this.#session = new Session(startup.settings);
    this.#conversation = new Conversation(this.#shared, this, this.#session, new Statements(`c${id}_`));
    const renegotiate = startup.minor > 0 || startup.unknownOptions.length > 0;
    this.send([
      ...(renegotiate ? [negotiateProtocolVersion(startup.unknownOptions)] : []),
      authenticationOk(),
      ...this.#parameters(startup.settings),
      backendKeyData(id, 0),
      readyForQuery("I"),
    ]);
    return true;
  }

  /** The settings that a client is told at the start; its own startup parameters are among them. */
  #parameters(settings: Map<string, string>): Buffer[] {
    const own = new Map([...settings].map(([name, value]) => [name.toLowerCase(), value]));
    const parameters = {
      server_version: this.#options.serverVersion,
      server_encoding: "UTF8",
      client_encoding: own.get("client_encoding") ?? "UTF8",
      application_name: own.get("application_name") ?? "",
      DateStyle: own.get("datestyle") ?? "ISO, MDY",
      IntervalStyle: own.get("intervalstyle") ?? "postgres",
      TimeZone: own.get("timezone") ?? "UTC",
      integer_datetimes: "on",
      standard_conforming_strings: "on",
      is_superuser: "on",
      session_authorization: "footfall",
      default_transaction_read_only: "off",
      in_hot_standby: "off",
    };
    return Object.entries(parameters).map(([name, value]) => parameterStatus(name, value));
  }

  #watchIdleness(): void {
    if (!this.#conversation?.owns) return;
    const asked = Number(this.#session?.settings.get("idle_in_transaction_session_timeout"));
    const { idleInTransactionMs } = this.#options;
    const idleMs = asked > 0 ? Math.min(asked, idleInTransactionMs) : idleInTransactionMs;
    this.#idleTimer = setTimeout(() => {
      this.close("25P03", "terminating connection due to idle-in-transaction timeout");
    }, idleMs);
  }
}

/** The socket's chunks; a reset or cut connection is an end like any other. */
async function* chunksOf(socket: Socket): AsyncGenerator<Buffer> {
  try {
    yield* socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch {
    return;
  }
}

/** Resolves when the socket has room again, or is closed. */
async function drained(socket: Socket): Promise<void> {
  if (!socket.writableNeedDrain || socket.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}
