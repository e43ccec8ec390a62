import type { Server, ServerCredentials } from "@grpc/grpc-js";
import { testKey } from "../../../test/kit/keys.ts";
import { LookupCache } from "../../cache/lookup-cache.ts";
import type { AcceptDeps } from "../../ingest/accept.ts";
import { ingestMetrics } from "../../ingest/metrics.ts";
import { createIngestServer } from "../../ingest/service.ts";
import { bind } from "../../rpc/grpc-js.ts";
import { keySha256 } from "../../store/api-keys.ts";
import type { Merchant } from "../../store/merchants.ts";
import type { SpoolReport } from "../../store/spool-reports.ts";
import { createRegistry } from "../../telemetry/metrics.ts";

export const PARTITIONS = 4;
export const RETENTION_DAYS = 30;
export const TOKEN = "collector-token";
export const VISITOR_ID_SECRET = Buffer.alloc(32, "s");

/** Write keys and their merchants. */
export const KEYS = { ffw_one: 1, ffw_two: 2 } as const;
export type WriteKey = keyof typeof KEYS | `ffw_quiet${number}`;

/** Merchants beside the two, for tests that need many: key ffw_quietN is merchant N's. */
const QUIET = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`ffw_quiet${100 + at}`, 100 + at]));

function findMerchant(sha256: Uint8Array): Merchant | undefined {
  const found = Object.entries({ ...KEYS, ...QUIET }).find(([key]) => keySha256(testKey(key)).equals(sha256));
  const rest = { name: "shop", timeZone: "UTC", currency: "EUR", retentionDays: RETENTION_DAYS };
  const lists = { ownDomains: [], ignoredReferrers: [] };
  // One merchant of each kind.
  return found && { merchantId: found[1], ...rest, ...lists, truncateIp: found[0] === "ffw_one" };
}

/** The real ingest server on a port of its own, without a database behind it, and with JetStream only if given. */
export class FakeIngest {
  readonly #publisher: AcceptDeps["publisher"];
  /** What spools told, in that order. */
  readonly spoolReports: SpoolReport[] = [];
  /** How many look-ups of keys have reached what stands for the database. */
  lookUps = 0;
  #server: Server | undefined;
  port = 0;

  constructor(publisher: AcceptDeps["publisher"]) {
    this.#publisher = publisher;
  }

  get listens(): boolean {
    return this.#server !== undefined;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Listens; a second time on the port that it had before. @param partitions as ingest checks them. */
  async start(partitions = PARTITIONS, credentials?: ServerCredentials): Promise<void> {
    this.#server = createIngestServer({
      tokens: () => [TOKEN],
      partitions,
      publisher: this.#publisher,
      merchants: new LookupCache(async (key) => this.#find(key), {
        name: "write key",
        freshMs: 60_000,
        capacity: 100,
      }),
      reportSpool: async (report) => void this.spoolReports.push(report),
      visitorIdSecret: VISITOR_ID_SECRET,
      metrics: ingestMetrics(createRegistry("test")),
      maxBatchBytes: 4 << 20,
      maxInFlightBytes: 16 << 20,
      report: (error) => {
        throw error;
      },
    });
    this.port = await bind(this.#server, "127.0.0.1", this.port, credentials);
  }

  #find(sha256: Uint8Array): Merchant | undefined {
    this.lookUps += 1;
    return findMerchant(sha256);
  }

  /** Goes away at once, in the middle of what it does, as a killed process would. */
  kill(): void {
    this.#server?.forceShutdown();
    this.#server = undefined;
  }
}
