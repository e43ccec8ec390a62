import type { Engine } from "./engine.ts";
import type { Gate } from "./gate.ts";
import { Session, type SessionSwitch } from "./session.ts";

/** WAL bytes after which a checkpoint is due; this bounds the WAL on disk and the recovery after a kill. */
const CHECKPOINT_BYTES = 64 << 20;
const PERIOD_MS = 5_000;

/** Does the work of Postgres's checkpointer process, which PGlite lacks: without it the WAL grows for ever. */
export class Checkpointer {
  readonly #engine: Engine;
  readonly #gate: Gate;
  readonly #sessions: SessionSwitch;
  readonly #session = new Session(new Map());
  #timer: NodeJS.Timeout | undefined;
  /** WAL position of the last checkpoint, as Postgres prints it. */
  #lsn: string;

  constructor(engine: Engine, gate: Gate, sessions: SessionSwitch) {
    this.#engine = engine;
    this.#gate = gate;
    this.#sessions = sessions;
    this.#lsn = this.#position();
  }

  /** Looks every few seconds; `failed` gets what goes wrong. */
  start(failed: (error: unknown) => void): void {
    this.#timer = setInterval(() => {
      try {
        this.tick();
      } catch (error) {
        failed(error);
      }
    }, PERIOD_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Checkpoints if one is due and nobody owns the database; otherwise the next tick looks again. */
  tick(): void {
    if (!this.#gate.free) return;
    const [[due]] = this.#engine.query(
      `SELECT pg_current_wal_insert_lsn() - '${this.#lsn}' > ${CHECKPOINT_BYTES}`,
    ) as [[string]];
    if (due !== "t") return;
    this.#sessions.activate(this.#session);
    this.#engine.query("CHECKPOINT");
    this.#lsn = this.#position();
  }

  #position(): string {
    return this.#engine.query("SELECT pg_current_wal_insert_lsn()")[0]![0]!;
  }
}
