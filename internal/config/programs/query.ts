import { integer, withVariables } from "../setting.ts";
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
  settings: withVariables("FOOTFALL_QUERY", {
    host,
    port: servicePort(4320),
    opsHost,
    opsPort: opsPort(9320),
    ...opsTlsSettings,
    ...tlsSettings,
    maxConnectionAgeMs,
    allowedOrigins,
    proxyProtocol,
    ...portLimits,
    databaseUrl,
    maxConnections: {
      description:
        "most connections to the database for reports, and so most requests that are worked on at a time: one merchant alone has half of them, and one is kept for merchants that have none; two more look API keys up, and two see whether answers that are kept are still right",
      schema: integer(1, 1_000),
      fallback: "10",
    },
    maxWaiting: {
      description:
        "most requests that wait for their turn; one merchant alone has half of them, and is then refused with the time to wait",
      schema: integer(1, 100_000),
      fallback: "200",
    },
    statementTimeoutMs: {
      description: "longest time of one statement, ms",
      schema: integer(10, 600_000),
      fallback: "10000",
    },
    databaseWaitMs: {
      description: "how long a report waits for a database that is away, ms, before it is refused",
      schema: integer(0, 600_000),
      fallback: "5000",
    },
    maxTimeoutMs: {
      description: "longest deadline that a caller may ask for, ms",
      schema: integer(100, 3_600_000),
      fallback: "60000",
    },
    keyFreshMs: {
      description: "how long a read or management key is trusted before it is read again, ms",
      schema: integer(0, 86_400_000),
      fallback: "5000",
    },
    answerCacheBytes: {
      description:
        "most memory for answers that are kept until their data change, bytes; 0: none is kept, and later pages of an answer are refused once data have come",
      schema: integer(0, 64 * 2 ** 30),
      fallback: "67108864",
    },
    costUnitsPerHour: {
      description:
        "cost units that one merchant's questions may take an hour, at this process; one is a millisecond of the database's time, and what is answered from kept answers costs none",
      schema: integer(1, 1_000_000_000),
      fallback: "600000",
    },
    requestsPerMinute: {
      description: "most requests of one merchant a minute",
      schema: integer(1, 10_000_000),
      fallback: "1200",
    },
    sampleFromEvents: {
      description:
        "events in a question's period from which on a large merchant's counts of visitors and sessions (from twice as many where aggregates answer them exactly) are estimated from a sample of one visitor in 8 to 512 (the answer tells the standard error of each), unless the question asks for exact numbers; 0: always",
      schema: integer(0, 1_000_000_000_000),
      fallback: "500000",
    },
    drainGraceMs,
    unreadyAfterMs,
    closeDeadlineMs,
    logLevel,
  }),
} as const;
