import { randomBytes } from "node:crypto";
import { createWriteStream, mkdirSync, type WriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { migrate } from "../../internal/store/migrate.ts";
import { createPool, type Pool } from "../../internal/store/pool.ts";
import { connectNats, type NatsConnection } from "../../internal/stream/connect.ts";
import { LineProxy } from "../kit/line-proxy.ts";
import { NO_FAULT } from "../kit/network-fault.ts";
import { launchPart, type Surroundings } from "./launch.ts";
import { Part } from "./part.ts";
import { placesStreams } from "./placement.ts";
import { choosePorts } from "./ports.ts";
import { ALL_LINES, kindOf, PARTITIONS, PARTS, PROGRAMS, partsOfKind } from "./topology.ts";

export interface SystemOptions {
  /** Holds what the parts store. */
  readonly dataDir: string;
  /** Gets a file of each part's log. */
  readonly logDir: string;
  /** Told when a part ends though nobody has ended it; it is started again at the end of the round. */
  readonly onDeath: (part: string, exitCode: number | null) => void;
}

/** How long a part may take to be at work again, ms. */
const RECOVER_MS = 60_000;

/** How often brokers are started, at most, before the first round. */
const BROKER_STARTS = 3;

const DATABASE_URL = "postgres://footfall@127.0.0.1/footfall";

function databaseUrl(port: number): string {
  const url = new URL(DATABASE_URL);
  url.port = String(port);
  return url.href;
}

/** A whole Footfall of many processes, with a proxy in every line between two of them. */
export class System {
  readonly dataDir: string;
  readonly logDir: string;
  readonly parts = new Map<string, Part>();
  readonly lines = new Map<string, LineProxy>();
  /** The database past the proxies: for counting, not for the system. */
  readonly pool: Pool;
  /** Parts that ended by a signal that nobody here has sent. */
  readonly crashed: string[] = [];
  readonly #ports: Surroundings["ports"];
  readonly #logs: WriteStream[] = [];
  #nats: NatsConnection | undefined;

  private constructor(options: SystemOptions, ports: Surroundings["ports"]) {
    this.dataDir = options.dataDir;
    this.logDir = options.logDir;
    this.#ports = ports;
    mkdirSync(this.logDir, { recursive: true });
    this.pool = createPool({
      url: databaseUrl(ports.get("timescale-1")!.service),
      name: "chaos",
      maxConnections: 2,
      statementTimeoutMs: 60_000,
    });
    const around = {
      dataDir: options.dataDir,
      ports,
      linePort: (line: string) => this.lines.get(line)!.port,
      token: randomBytes(24).toString("base64url"),
      databaseUrl,
      env: { FOOTFALL_LOG_LEVEL: "info" },
    };
    for (const name of PARTS) this.parts.set(name, this.#part(name, around, options));
  }

  /** Chooses ports; nothing runs yet. */
  static async create(options: SystemOptions): Promise<System> {
    return new System(options, await choosePorts());
  }

  /** Starts everything. @throws when a part does not become ready. */
  async start(): Promise<void> {
    // Every child process has a listener of its own for the end of this one.
    process.setMaxListeners(100);
    for (const { name, from, to } of ALL_LINES) {
      const { service, routes } = this.#ports.get(to)!;
      this.lines.set(name, await LineProxy.start(from === "nats" ? routes : service));
    }
    await this.#startAll(["nats", "timescale"]);
    await migrate(this.pool, PARTITIONS);
    const servers = partsOfKind("nats").map((part) => `nats://127.0.0.1:${this.#ports.get(part)!.service}`);
    this.#nats = await connectNats(servers.join(","), "chaos", 10_000);
    await this.#untilPlaced();
    await this.#startAll(["ingest", "aggregator", "query"]);
    await this.#startAll(["collector"]);
  }

  /** A connection to the brokers past the proxies. */
  get nats(): NatsConnection {
    return this.#nats!;
  }

  /** Where SDKs reach a collector. */
  collectorUrl(part: string): string {
    return `http://127.0.0.1:${this.lines.get(`sdk>${part}`)!.port}`;
  }

  get queryUrl(): string {
    return `http://127.0.0.1:${this.servicePort("query-1")}`;
  }

  /** A part's own port, past the proxies. */
  servicePort(part: string): number {
    return this.#ports.get(part)!.service;
  }

  /** Batches in a collector's spool. */
  async spooled(collector: string): Promise<number> {
    const metrics = await this.#metrics(collector);
    return Number(/^footfall_collector_spool_batches(?:{.*})? (\d+)$/m.exec(metrics)![1]);
  }

  /** Adds the metrics of this moment to the logs, where a program answers. */
  async keepMetrics(): Promise<void> {
    for (const part of PROGRAMS.flatMap(partsOfKind)) {
      const metrics = await this.#metrics(part).catch((error: Error) => error.message);
      await writeFile(join(this.logDir, `${part}.metrics`), metrics);
    }
  }

  /** Clears all lines and brings every part back to work. @returns what did not come back, and why. */
  recover(): Promise<string[]> {
    for (const line of this.lines.values()) line.meet(NO_FAULT);
    return recoverAll([...this.parts.values()]);
  }

  /** Ends everything at once. */
  async close(): Promise<void> {
    await this.#nats?.close();
    await Promise.all([...this.parts.values()].map((part) => part.close()));
    await this.pool.end();
    await Promise.all([...this.lines.values()].map((line) => line.close()));
    await Promise.all(this.#logs.map((log) => finished(log.end())));
  }

  async #metrics(part: string): Promise<string> {
    const url = `http://127.0.0.1:${this.#ports.get(part)!.health}/metrics`;
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).text();
  }

  #part(name: string, around: Surroundings, { onDeath }: SystemOptions): Part {
    const log = createWriteStream(join(this.logDir, `${name}.log`));
    this.#logs.push(log);
    const { health } = this.#ports.get(name)!;
    const isHealthy = async () => {
      if (kindOf(name) === "timescale") return (await this.pool.query("SELECT 1")).rowCount === 1;
      const path = kindOf(name) === "nats" ? "healthz" : "readyz";
      return (await fetch(`http://127.0.0.1:${health}/${path}`, { signal: AbortSignal.timeout(2_000) })).ok;
    };
    const launch = () => launchPart(name, around, (text) => void log.write(text));
    const onEnd = (part: string, exitCode: number | null) => {
      if (exitCode === null) this.crashed.push(part);
      onDeath(part, exitCode);
    };
    return new Part({ name, launch, isHealthy, onDeath: onEnd });
  }

  /** Brokers that do not find to one another are started again. */
  async #untilPlaced(): Promise<void> {
    for (let left = BROKER_STARTS - 1; !(await placesStreams(this.nats)); left--) {
      if (left === 0) throw new Error(`nats: no room for a stream after ${BROKER_STARTS} starts`);
      await Promise.all(partsOfKind("nats").map((name) => this.parts.get(name)!.kill()));
      await this.#startAll(["nats"]);
    }
  }

  async #startAll(kinds: readonly ReturnType<typeof kindOf>[]): Promise<void> {
    const parts = kinds.flatMap(partsOfKind).map((name) => this.parts.get(name)!);
    // On a busy machine a program may find brokers too slow and end: it is started again, as in production.
    const problems = await recoverAll(parts);
    if (problems.length > 0) throw new Error(problems.join("\n"));
  }
}

async function recoverAll(parts: readonly Part[]): Promise<string[]> {
  const problems = await Promise.all(parts.map((part) => part.recover(RECOVER_MS)));
  return problems.filter((problem) => problem !== undefined);
}
