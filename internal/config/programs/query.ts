import { integer } from "../setting.ts";
import {
  allowedOrigins,
  closeDeadlineMs,
  databaseUrl,
  drainGraceMs,
  host,
  logLevel,
  maxConnectionAgeMs,
  opsHost,
  opsPort,
  opsTlsSettings,
  portLimits,
  proxyProtocol,
  servicePort,
  tlsSettings,
  unreadyAfterMs,
} from "./shared.ts";

export const query = {
  name: "query",
  description: "Answers merchants' reports over Connect, gRPC and gRPC-Web on one port.",
  settings: {
    host,
    port: servicePort("query", 4320),
    opsHost,
    opsPort: opsPort("query", 9320),
    ...opsTlsSettings,
    ...tlsSettings("query"),
    maxConnectionAgeMs,
    allowedOrigins: allowedOrigins("query"),
    proxyProtocol: proxyProtocol("query"),
    ...portLimits,
    databaseUrl,
    maxConnections: {
      env: "FOOTFALL_QUERY_MAX_CONNECTIONS",
      description:
        "most connections to the database for reports, and so most requests that are worked on at a time: one merchant alone has half of them, and one is kept for merchants that have none; two more look keys up",
      schema: integer(1, 1_000),
      fallback: "10",
    },
    maxWaiting: {
      env: "FOOTFALL_QUERY_MAX_WAITING",
      description:
        "most requests that wait for their turn; one merchant alone has half of them, and is then refused with the time to wait",
      schema: integer(1, 100_000),
      fallback: "200",
    },
    statementTimeoutMs: {
      env: "FOOTFALL_QUERY_STATEMENT_TIMEOUT_MS",
      description: "longest time of one statement, ms",
      schema: integer(10, 600_000),
      fallback: "10000",
    },
    databaseWaitMs: {
      env: "FOOTFALL_QUERY_DATABASE_WAIT_MS",
      description: "how long a report waits for a database that is away, ms, before it is refused",
      schema: integer(0, 600_000),
      fallback: "5000",
    },
    maxTimeoutMs: {
      env: "FOOTFALL_QUERY_MAX_TIMEOUT_MS",
      description: "longest deadline that a caller may ask for, ms",
      schema: integer(100, 3_600_000),
      fallback: "60000",
    },
    keyFreshMs: {
      env: "FOOTFALL_QUERY_KEY_FRESH_MS",
      description: "how long a read key is trusted before it is read again, ms",
      schema: integer(0, 86_400_000),
      fallback: "5000",
    },
    requestsPerMinute: {
      env: "FOOTFALL_QUERY_REQUESTS_PER_MINUTE",
      description: "most requests of one merchant a minute",
      schema: integer(1, 10_000_000),
      fallback: "1200",
    },
    estimateFromEvents: {
      env: "FOOTFALL_QUERY_ESTIMATE_FROM_EVENTS",
      description:
        "events in a report's range from which on a large merchant's distinct visitors and sessions by month are estimated (standard error 0.8 %), unless the request asks for exact numbers; 0: always",
      schema: integer(0, 1_000_000_000_000),
      fallback: "10000000",
    },
    sampleFromEvents: {
      env: "FOOTFALL_QUERY_SAMPLE_FROM_EVENTS",
      description:
        "events in a breakdown's range from which on a large merchant's visitors and sessions by page, host and event name (by place and device: from twice as many) are estimated from a sample of one visitor in 8 to 512 (the answer tells the standard error of each), unless the request asks for exact numbers; 0: always",
      schema: integer(0, 1_000_000_000_000),
      fallback: "500000",
    },
    drainGraceMs,
    unreadyAfterMs,
    closeDeadlineMs,
    logLevel,
  },
} as const;
