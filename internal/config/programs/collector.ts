import { address, choice, integer, optionalText, text, withVariables, yesNo } from "../setting.ts";
import { trustedProxies } from "../trusted-proxies.ts";
import {
  allowedOrigins,
  allowFailpoints,
  closeDeadlineMs,
  drainGraceMs,
  failpoints,
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
} from "./shared.ts";

export const collector = {
  name: "collector",
  description:
    "Edge of Footfall: takes events over gRPC, gRPC-Web and Connect/JSON and lines of access logs over HTTP on one port, or reads an access log, and streams them to ingest in columnar batches.",
  settings: withVariables("FOOTFALL_COLLECTOR", {
    host,
    port: servicePort(4317),
    opsHost,
    opsPort: opsPort(9317),
    ...opsTlsSettings,
    ...tlsSettings,
    maxConnectionAgeMs,
    allowedOrigins,
    ...withVariables("FOOTFALL", {
      ingestTls: {
        description:
          "whether TLS is spoken to ingest: true or false; true as well where a file for it is given",
        schema: yesNo(),
        fallback: "false",
        isSwitch: true,
      },
      ingestCaFile: {
        description: "file of the authority of ingest's certificate, PEM; none: those that Node.js knows",
        schema: optionalText(),
        fallback: "",
      },
      ingestCertificateFile: {
        description: "file of the certificate to show to ingest, PEM",
        schema: optionalText(),
        fallback: "",
      },
      ingestKeyFile: {
        description: "file of that certificate's private key, PEM",
        schema: optionalText(),
        fallback: "",
      },
      ingestServerName: {
        description: "whose certificate ingest must show, where that is not the host of its address",
        schema: optionalText(),
        fallback: "",
      },
      ingestAddress: {
        description:
          "host:port of ingest; several are parted by commas; batches go to all of them, and to all addresses that a name stands for",
        schema: text(),
        fallback: "127.0.0.1:4318",
      },
      ingestToken: {
        description: "the collectors' token at ingest",
        schema: text(),
        secret: true,
      },
      collectorId: {
        description: "name of this collector in the ledger",
        schema: text(),
        fallback: "collector",
      },
    }),
    compression: {
      description: "compression of batches: zstd or none",
      schema: choice(["zstd", "none"]),
      fallback: "zstd",
    },
    batchMaxRows: {
      description: "a batch closes at this many events",
      schema: integer(1, 65_536),
      fallback: "8192",
    },
    batchMaxBytes: {
      description: "... or at about this many bytes before compression",
      schema: integer(1_024, 16 << 20),
      fallback: "2097152",
    },
    batchMaxAgeMs: {
      description: "... or at this age, ms; at once while no other batch of its partition is on its way",
      schema: integer(0, 60_000),
      fallback: "20",
    },
    maxPendingBytes: {
      description: "most bytes on their way to ingest; beyond it events are refused with RESOURCE_EXHAUSTED",
      schema: integer(1 << 20, 2_147_483_647),
      fallback: "67108864",
    },
    merchantEventsPerSecond: {
      description: "most events a second of one merchant; beyond it requests are refused; 0: no limit",
      schema: integer(0, 1_000_000_000),
      fallback: "20000",
    },
    eventsPerSecond: {
      description: "most events a second of all merchants; 0: no limit",
      schema: integer(0, 1_000_000_000),
      fallback: "0",
    },
    rateWindowSeconds: {
      description:
        "over how many seconds events are counted: a burst may use them all at once, and whoever is over the limit waits for the next window",
      schema: integer(1, 60),
      fallback: "2",
    },
    maxRequests: {
      description: "most requests in progress, those on streams included; an open stream counts as one",
      schema: integer(8, 1_000_000),
      fallback: "4000",
    },
    maxReadingBytes: {
      description: "most bytes of requests that have come in part",
      schema: integer(32 << 20, 2_147_483_647),
      fallback: "134217728",
    },
    merchantShare: {
      description:
        "percentage of max-requests, max-reading-bytes and max-pending-bytes that one merchant comes to while it is the only busy one (it may hold so much as is free, times a factor); 100: no limit of its own",
      schema: integer(1, 100),
      fallback: "25",
    },
    deliverTimeoutMs: {
      description: "how long a batch is tried before its events are given back as UNAVAILABLE, ms",
      schema: integer(100, 600_000),
      fallback: "10000",
    },
    spoolDir: {
      description:
        "folder of the spool, where batches are kept while ingest is away; one collector's own; empty: no spool, events are refused then",
      schema: optionalText(),
      fallback: "",
    },
    spoolAfterMs: {
      description: "how long ingest may take to answer before a batch goes to the spool, ms",
      schema: integer(50, 600_000),
      fallback: "1000",
    },
    spoolMaxBytes: {
      description: "most bytes of batches in the spool; beyond it events are refused with RESOURCE_EXHAUSTED",
      schema: integer(1 << 10, Number.MAX_SAFE_INTEGER),
      fallback: "1073741824",
    },
    spoolMaxAgeMs: {
      description: "while the spool's oldest batch is older than this, it takes no other, ms",
      schema: integer(1_000, 31_536_000_000),
      fallback: "259200000",
    },
    spoolMinFreeBytes: {
      description: "disk space that the spool leaves free, bytes",
      schema: integer(0, Number.MAX_SAFE_INTEGER),
      fallback: "67108864",
    },
    recentEvents: {
      description: "how many events are remembered to answer `duplicate` at once",
      schema: integer(2, 100_000_000),
      fallback: "500000",
    },
    keyFreshMs: {
      description: "how long a write key is trusted before it is looked up again, ms",
      schema: integer(0, 86_400_000),
      fallback: "60000",
    },
    clientIpHeader: {
      description:
        "header in which proxies put the client's address: x-forwarded-for, forwarded (RFC 7239), or one of their own such as cf-connecting-ip",
      schema: optionalText().transform((name) => name?.toLowerCase()),
      fallback: "",
    },
    trustedProxies: {
      description:
        "which proxies are believed in that header: how many there are on the way (1: its last entry is the client), or their addresses and networks, parted by commas, such as private,203.0.113.0/24",
      schema: trustedProxies(),
      fallback: "1",
    },
    proxyProtocol,
    ...portLimits,
    accessLog: {
      description:
        "read this access log instead of serving; -: standard input; a .gz file is read as what it holds",
      schema: optionalText(),
      fallback: "",
    },
    accessLogKey: {
      description: "write key of the merchant whose log it is",
      schema: optionalText(),
      fallback: "",
      secret: true,
    },
    accessLogSite: {
      description:
        "address of the log's site, which paths are appended to where the log does not tell the host",
      schema: address("http", "https"),
      fallback: "http://localhost",
    },
    logFormat: {
      description:
        "format of the access log: a name (auto, combined, main, vhost_combined, common, vhost_common, json, caddy, traefik, iis, w3c, cloudfront, alb, elb, s3), or a format string of nginx or Apache",
      schema: text(),
      fallback: "auto",
    },
    logTrustedProxies: {
      description:
        "which proxies are believed where a log line has X-Forwarded-For, as in trusted-proxies; private: those in private networks",
      schema: trustedProxies(),
      fallback: "private",
    },
    follow: {
      description: "go on reading the access log as it grows: true or false",
      schema: yesNo(),
      fallback: "false",
      isSwitch: true,
    },
    drainGraceMs,
    closeDeadlineMs,
    logLevel,
    failpoints,
    allowFailpoints,
  }),
} as const;
