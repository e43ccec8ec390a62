import { z } from "zod";
import { natsAddress } from "../nats-address.ts";
import {
  address,
  choice,
  integer,
  optionalText,
  port,
  type Secret,
  type Setting,
  text,
  withVariables,
  yesNo,
} from "../setting.ts";
import { networks } from "../trusted-proxies.ts";

/** Settings that several programs share. */

export const databaseUrl: Secret<string> = {
  env: "DATABASE_URL",
  description: "TimescaleDB, as postgres://user:password@host:port/database",
  schema: address("postgres", "postgresql"),
  secret: true,
};

const natsUrl: Secret<string> = {
  env: "NATS_URL",
  description:
    "NATS servers with JetStream, as nats://user:password@host:port, nats://token@host:port or tls://host:port; several are parted by commas",
  schema: natsAddress(),
  fallback: "nats://127.0.0.1:4222",
  secret: true,
};

/** How a program reaches NATS. */
export const natsSettings = withVariables("FOOTFALL", {
  natsUrl,
  natsCredentialsFile: {
    description:
      "file with a user's JWT and NKey seed (.creds), or with an NKey seed alone, to log in to NATS with",
    schema: optionalText(),
    fallback: "",
  },
  natsCaFile: {
    description:
      "file of the certificate authority of the NATS servers, PEM; where given, only TLS is spoken",
    schema: optionalText(),
    fallback: "",
  },
  natsCertificateFile: {
    description: "file of the certificate to show to the NATS servers, PEM",
    schema: optionalText(),
    fallback: "",
  },
  natsKeyFile: {
    description: "file of that certificate's private key, PEM",
    schema: optionalText(),
    fallback: "",
  },
});

/** Settings of most programs. */
export const {
  logLevel,
  host,
  closeDeadlineMs,
  drainGraceMs,
  opsHost,
  unreadyAfterMs,
  maxConnectionAgeMs,
  failpoints,
  allowFailpoints,
} = withVariables("FOOTFALL", {
  logLevel: {
    description: "debug, info, warn, error or silent; log lines are JSON on standard error",
    schema: choice(["debug", "info", "warn", "error", "silent"]),
    fallback: "info",
  },
  host: {
    description: "address to listen on",
    schema: text(),
    fallback: "127.0.0.1",
  },
  closeDeadlineMs: {
    description: "longest time for a drained shutdown, ms",
    schema: integer(100, 600_000),
    fallback: "20000",
  },
  drainGraceMs: {
    description:
      "how long to go on serving after SIGTERM while /readyz says no, ms: longer than a load balancer takes to notice; 0 where clients connect directly",
    schema: integer(0, 600_000),
    fallback: "0",
  },
  /** Apart from the services' address: whoever reaches this port reads metrics and may ask for every service's schema. */
  opsHost: {
    description:
      "address on which the operators' port listens: loopback unless probes and Prometheus come from elsewhere; never one that clients reach",
    schema: text(),
    fallback: "127.0.0.1",
  },
  /** How long a part may not answer before a program's readiness says so. */
  unreadyAfterMs: {
    description: "how long the database or JetStream may not answer before /readyz says no, ms",
    schema: integer(100, 600_000),
    fallback: "4000",
  },
  maxConnectionAgeMs: {
    description:
      "how long a connection to the service's port is used before its client is told to make another, ms, so that load balancers share them out anew; what is under way is answered; 0: for ever",
    schema: integer(0, 86_400_000),
    fallback: "300000",
  },
  /** For tests of crashes: where a program kills itself. */
  failpoints: {
    description:
      "for tests: places (internal/failpoint/names.ts), as name[:nth] parted by commas, at which the program kills itself as kill -9 would",
    schema: z.string(),
    fallback: "",
  },
  allowFailpoints: {
    description: "whether failpoints may be set; without it a program that has some does not start",
    schema: yesNo(),
    fallback: "false",
    isSwitch: true,
  },
});

/** The operators' port: /livez, /readyz, /metrics, gRPC health and reflection. */
export const opsPort = (fallback: number): Setting<number> => ({
  description: "port of /livez, /readyz, /metrics, gRPC health and reflection; 0 for any free one",
  schema: port(),
  fallback: String(fallback),
});

/** The port of a program's own service. */
export const servicePort = (fallback: number): Setting<number> => ({
  description: "port of the service; 0 for any free one",
  schema: port(),
  fallback: String(fallback),
});

/** What clients of a service's own port may hold, and for how long. */
export const portLimits = withVariables("FOOTFALL", {
  maxClientConnections: {
    description:
      "most connections of clients; of more, those that have had no request for longest are closed; each takes a file descriptor",
    schema: integer(10, 1_000_000),
    fallback: "20000",
  },
  connectionsPerAddress: {
    description: "most connections of one client address, or IPv6 /64; more are reset",
    schema: integer(1, 1_000_000),
    fallback: "1000",
  },
  requestsPerAddress: {
    description:
      "most requests in progress of one client address, or IPv6 /64, open streams included; more are answered 429",
    schema: integer(1, 1_000_000),
    fallback: "2000",
  },
  unlimitedAddresses: {
    description:
      "addresses and networks, parted by commas, that no limit by address holds, since anybody's connections come from them: load balancers and proxies; private: loopback and private networks; empty: none",
    schema: networks(),
    fallback: "private",
  },
  headerTimeoutMs: {
    description: "longest time for a request's headers, ms",
    schema: integer(100, 600_000),
    fallback: "20000",
  },
  bodyTimeoutMs: {
    description: "longest time for a request's body, and for its answer to be taken, ms; not of gRPC streams",
    schema: integer(100, 600_000),
    fallback: "60000",
  },
  idleTimeoutMs: {
    description:
      "how long a connection may have no request, ms: longer than a load balancer keeps one, lest it use it as it is closed",
    schema: integer(100, 86_400_000),
    fallback: "120000",
  },
});

/** The certificate of a program's port. */
export const tlsSettings = {
  tlsCertificateFile: {
    description:
      "file of the service port's certificate, and of those between it and its authority, PEM; where given, the port speaks TLS alone",
    schema: optionalText(),
    fallback: "",
  },
  tlsKeyFile: {
    description: "file of that certificate's private key, PEM",
    schema: optionalText(),
    fallback: "",
  },
} as const;

/** The certificate of the operators' port. */
export const opsTlsSettings = withVariables("FOOTFALL", {
  opsTlsCertificateFile: {
    description: "file of the operators' port's certificate, PEM; where given, the port speaks TLS alone",
    schema: optionalText(),
    fallback: "",
  },
  opsTlsKeyFile: {
    description: "file of that certificate's private key, PEM",
    schema: optionalText(),
    fallback: "",
  },
});

/** Pages that may call a program's own service from a browser. */
export const allowedOrigins: Setting<string[]> = {
  description:
    "origins whose pages may call from a browser (CORS), parted by commas; * for all, empty for none",
  schema: z.string().transform((value) => value.split(",").filter((origin) => origin !== "")),
  fallback: "*",
};

/** Whether a load balancer tells of each connection whose it is. */
export const proxyProtocol: Setting<boolean> = {
  description:
    "whether every connection begins with a PROXY protocol header, version 1 or 2, as load balancers of TCP send it: true or false; one without it is closed",
  schema: yesNo(),
  fallback: "false",
  isSwitch: true,
};

/** What the streams are promised to be; ingest and admin must be told the same. */
export const streamSettings = withVariables("FOOTFALL", {
  replicas: {
    flag: "stream-replicas",
    description: "replicas of each stream; 3 on a cluster",
    schema: integer(1, 5),
    fallback: "1",
  },
  streamMaxAgeHours: {
    description: "how long JetStream keeps batches, hours",
    schema: integer(1, 24 * 365),
    fallback: "168",
  },
  streamMaxBytes: {
    description:
      "most bytes of one partition's stream, which the NATS server reserves at once; a full one refuses batches; 0: as much as the server has",
    schema: integer(0, Number.MAX_SAFE_INTEGER),
    fallback: "0",
  },
});
