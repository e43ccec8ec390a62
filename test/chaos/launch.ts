import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Child, OutputListener } from "../../internal/embedded/child.ts";
import { startNats } from "../../internal/embedded/nats/start.ts";
import { startTimescale } from "../../internal/embedded/postgres/start.ts";
import { startProgram } from "../../internal/standalone/programs.ts";
import type { PartPorts } from "./ports.ts";
import { kindOf, partsOfKind, type WritePathProgram } from "./topology.ts";

/** What the parts of one installation need to find one another. */
export interface Surroundings {
  readonly dataDir: string;
  readonly ports: ReadonlyMap<string, PartPorts>;
  /** The port of a line's proxy, by the line's name. */
  readonly linePort: (line: string) => number;
  /** What collectors show at ingest. */
  readonly token: string;
  /** The database's address with the port of a line. */
  readonly databaseUrl: (port: number) => string;
  /** Further settings of the programs. */
  readonly env: Readonly<Record<string, string>>;
}

const CLOCK = fileURLToPath(new URL("./clock.ts", import.meta.url));

/** SDKs and checks come from this address; the hostile client has another, which limits by address hold. */
const LIMITED = { FOOTFALL_UNLIMITED_ADDRESSES: "127.0.0.1" };

/** The file that a part's clock is shifted by. */
export function clockFile(dataDir: string, part: string): string {
  return join(dataDir, `${part}.clock`);
}

/** Starts a part such as "ingest-2": all that it talks to is behind proxies. */
export function launchPart(part: string, around: Surroundings, onOutput: OutputListener): Promise<Child> {
  const kind = kindOf(part);
  if (kind === "nats") return launchNats(part, around, onOutput);
  if (kind === "timescale") return launchTimescale(part, around, onOutput);
  return launchProgram(kind, part, around, onOutput);
}

function launchNats(part: string, { dataDir, ports, linePort }: Surroundings, onOutput: OutputListener) {
  const { service, health, routes } = ports.get(part)!;
  const others = partsOfKind("nats").filter((other) => other !== part);
  return startNats({
    dataDir: join(dataDir, part),
    name: part,
    port: service,
    monitorPort: health,
    cluster: {
      name: "footfall",
      port: routes,
      advertisedPort: linePort(`nats>${part}`),
      routes: others.map((other) => `nats://127.0.0.1:${linePort(`nats>${other}`)}`),
    },
    onOutput,
  });
}

function launchTimescale(part: string, { dataDir, ports }: Surroundings, onOutput: OutputListener) {
  return startTimescale({ dataDir: join(dataDir, part), port: ports.get(part)!.service, onOutput });
}

function launchProgram(
  kind: WritePathProgram,
  part: string,
  around: Surroundings,
  onOutput: OutputListener,
): Promise<Child> {
  const { service, health } = around.ports.get(part)!;
  const { linePort, token } = around;
  const nats = partsOfKind("nats").map((broker) => () => linePort(`${part}>${broker}`));
  const specific: Record<WritePathProgram, () => Record<string, string>> = {
    ingest: () => ({
      FOOTFALL_INGEST_PORT: String(service),
      FOOTFALL_INGEST_TOKENS: token,
      FOOTFALL_STREAM_REPLICAS: String(nats.length),
    }),
    aggregator: () => ({
      FOOTFALL_AGGREGATOR_HEARTBEAT_MS: "250",
      // Shorter than usual, so that rounds are short.
      FOOTFALL_AGGREGATOR_LEASE_MS: "1200",
      FOOTFALL_AGGREGATOR_LEASE_RENEW_MS: "300",
    }),
    query: () => ({ FOOTFALL_QUERY_PORT: String(service), ...LIMITED }),
    collector: () => ({
      ...LIMITED,
      FOOTFALL_COLLECTOR_PORT: String(service),
      FOOTFALL_COLLECTOR_ID: part,
      FOOTFALL_INGEST_TOKEN: token,
      FOOTFALL_INGEST_ADDRESS: ingestAddress(part, linePort),
      // Less than usual, so that rounds are short, and that events are given back in some.
      FOOTFALL_COLLECTOR_DELIVER_TIMEOUT_MS: "3000",
      FOOTFALL_COLLECTOR_SPOOL_DIR: join(around.dataDir, part, "spool"),
      FOOTFALL_COLLECTOR_SPOOL_AFTER_MS: "400",
      // One collector's spool is full soon after it has lost ingest.
      FOOTFALL_COLLECTOR_SPOOL_MAX_BYTES: String(part.endsWith("-1") ? 64 << 20 : 8 << 10),
    }),
  };
  const env = {
    ...(kind !== "collector" && {
      DATABASE_URL: around.databaseUrl(linePort(`${part}>timescale-1`)),
    }),
    ...((kind === "ingest" || kind === "aggregator") && {
      NATS_URL: nats.map((port) => `nats://127.0.0.1:${port()}`).join(","),
    }),
    ...specific[kind](),
    NODE_OPTIONS: `--import ${CLOCK}`,
    CHAOS_CLOCK_FILE: clockFile(around.dataDir, part),
    ...around.env,
  };
  return startProgram(kind, health, env, onOutput);
}

/** gRPC's own list of addresses, which get batches in turn. */
function ingestAddress(part: string, linePort: Surroundings["linePort"]): string {
  const all = partsOfKind("ingest");
  const ordered = part.endsWith("-1") ? all : all.toReversed();
  return `ipv4:${ordered.map((ingest) => `127.0.0.1:${linePort(`${part}>${ingest}`)}`).join(",")}`;
}
