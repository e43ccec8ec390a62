import type { Engine } from "./engine.ts";

const GAP = String.raw`(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*`;
const SETS = new RegExp(
  String.raw`(?:^|;)${GAP}(?:set\s+(?!local\b|transaction\b|constraints\b)|reset\b|discard\b|do\b)`,
  "i",
);
const SETS_BY_FUNCTION = /\bset_config\s*\((?!(?:[^)]|\)\s*,)*,\s*true\s*\))/i;
const MAKES_TEMPORARY = /\b(?:temp|temporary)\b/i;
const LISTENS = new RegExp(String.raw`(?:^|;)${GAP}listen\b`, "i");

/**
 * PGlite starts Postgres with odd settings on its command line (no sequential scans, debug messages, a bare
 * search_path), and a standalone backend ignores ALTER DATABASE SET: these come back after every RESET ALL.
 */
const DEFAULTS = new Map([
  ["TimeZone", "UTC"],
  ["DateStyle", "ISO, MDY"],
  ["enable_seqscan", "on"],
  ["client_min_messages", "notice"],
  ["log_min_messages", "warning"],
  ["search_path", '"$user", public'],
  ["timescaledb.telemetry_level", "off"],
]);

const RESETS_ALL = /\b(?:reset|discard)\s+all\b/i;

/** Settings with a dot in their name are not listed by Postgres; their names are taken from the SQL. */
const CUSTOM_NAME = /\b(?:set\s+(?:session\s+)?|set_config\s*\(\s*')([a-z_]\w*\.\w+)/gi;

const SETTINGS = `SELECT name, setting FROM pg_settings WHERE source = 'session'
  UNION ALL SELECT 'role', current_setting('role') WHERE current_setting('role') <> 'none'`;

const CUSTOM_SETTINGS = (names: Iterable<string>) => `
  UNION ALL SELECT name, current_setting(name, true)
    FROM unnest(ARRAY[${[...names].map(literal).join(", ")}]::text[]) AS name
    WHERE current_setting(name, true) <> ''`;

/**
 * What one connection has set. The connections share one session of the database, so each one's settings are
 * read behind what may have changed them (3 ms, only after a statement that looks like SET) and put back when it returns.
 * Not seen: SET inside functions, set_config with a computed name that has a dot. A setting with a dot, once made
 * by anybody, reads as '' elsewhere and no longer as missing. Shared by all: temporary tables, advisory locks
 * (they never block), SQL PREPARE; DISCARD ALL and DEALLOCATE ALL end the prepared statements of every connection.
 */
export class Session {
  /** Settings that differ from the database's defaults, with "role" among them. */
  readonly settings: Map<string, string>;
  #unread = false;
  #resetsAll = false;
  readonly #customNames = new Set<string>();
  temporary = false;
  listens = false;

  constructor(settings: Map<string, string>) {
    this.settings = settings;
  }

  /** Looks at the SQL that the connection is about to run. */
  note(sql: string): void {
    if (SETS.test(sql) || SETS_BY_FUNCTION.test(sql)) {
      this.#unread = true;
      for (const [, name] of sql.matchAll(CUSTOM_NAME)) this.#customNames.add(name!);
    }
    this.#resetsAll ||= RESETS_ALL.test(sql);
    this.temporary ||= MAKES_TEMPORARY.test(sql);
    this.listens ||= LISTENS.test(sql);
  }

  /** After the connection's own RESET ALL the server's defaults are due again. Outside transactions only. */
  restoreDefaults(engine: Engine): void {
    if (this.#resetsAll) engine.query(setting(DEFAULTS));
    this.#resetsAll = false;
  }

  /** Brings `settings` up to date with the database. The connection must still be the active one. */
  read(engine: Engine): void {
    if (!this.#unread) return;
    this.#unread = false;
    this.settings.clear();
    for (const [name, value] of this.#inDatabase(engine)) {
      if (DEFAULTS.get(name) !== value) this.settings.set(name, value);
    }
  }

  #inDatabase(engine: Engine): [string, string][] {
    const custom = this.#customNames.size > 0 ? CUSTOM_SETTINGS(this.#customNames) : "";
    return engine.query(SETTINGS + custom) as [string, string][];
  }
}

/** Puts one connection's settings in place of another's. */
export class SessionSwitch {
  readonly #engine: Engine;
  #active: Session | null = null;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#reset();
  }

  /**
   * Makes `session` the active one; true if another was active before. Outside transactions only.
   * Throws EngineError if one of its settings is refused, such as an unknown name in the startup packet.
   */
  activate(session: Session): boolean {
    if (this.#active === session) return false;
    this.#leave();
    this.#active = session;
    if (session.settings.size > 0) this.#engine.query(setting(session.settings));
    return true;
  }

  /** Removes what an ended connection has left in the session. */
  end(session: Session): void {
    if (this.#active === session) {
      this.#leave();
      this.#active = null;
    }
    if (session.temporary) this.#engine.query("DISCARD TEMP");
  }

  #leave(): void {
    this.#active?.read(this.#engine);
    if (this.#active && this.#active.settings.size > 0) this.#reset();
  }

  #reset(): void {
    this.#engine.query("RESET ROLE; RESET ALL");
    this.#engine.query(setting(DEFAULTS));
  }
}

/** One SELECT that makes all the settings, in their order. */
function setting(settings: Map<string, string>): string {
  const calls = [...settings].map(
    ([name, value]) => `set_config(${literal(name)}, ${literal(value)}, false)`,
  );
  return `SELECT ${calls.join(", ")}`;
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
