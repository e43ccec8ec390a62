import type { Network } from "../config/trusted-proxies.ts";
import { inNetworks } from "./by-address/network.ts";

/** What the clients of a port may hold, and for how long. */
export interface PortLimits {
  /** Most connections; of more, those that have been idle longest are closed. */
  readonly maxConnections: number;
  /** Of one client address, or IPv6 /64. */
  readonly connectionsPerAddress: number;
  /** In progress, of one client address: HTTP/1.1 requests and HTTP/2 streams. */
  readonly requestsPerAddress: number;
  /** Whose connections are everybody's, such as a load balancer's: the two limits above are not for them. */
  readonly isUnlimited: (address: string) => boolean;
  /** Longest time for a request's headers, ms. */
  readonly headerTimeoutMs: number;
  /** Longest time for a request's body, and for its answer to be taken, ms; not of streams that a client sends. */
  readonly bodyTimeoutMs: number;
  /** How long a connection may have no request in progress, ms. */
  readonly idleTimeoutMs: number;
}

/** Where nothing else is set. */
export const DEFAULT_LIMITS: PortLimits = {
  maxConnections: 20_000,
  connectionsPerAddress: 1_000,
  requestsPerAddress: 2_000,
  isUnlimited: () => true,
  headerTimeoutMs: 20_000,
  bodyTimeoutMs: 60_000,
  idleTimeoutMs: 120_000,
};

/** Of the operators' port, which few may reach: probes, Prometheus, watchers of health. */
export const OPERATORS_LIMITS: PortLimits = {
  ...DEFAULT_LIMITS,
  maxConnections: 1_000,
  connectionsPerAddress: 200,
  requestsPerAddress: 200,
  isUnlimited: () => false,
};

/** The settings of `portLimits` in config/programs/shared.ts. */
export interface LimitSettings extends Omit<PortLimits, "maxConnections" | "isUnlimited"> {
  readonly maxClientConnections: number;
  readonly unlimitedAddresses: readonly Network[];
}

/** A port's limits as they are set. */
export function portLimitsOf(config: LimitSettings): PortLimits {
  const { maxClientConnections: maxConnections, unlimitedAddresses } = config;
  const { connectionsPerAddress, requestsPerAddress, headerTimeoutMs, bodyTimeoutMs, idleTimeoutMs } = config;
  return {
    maxConnections,
    connectionsPerAddress,
    requestsPerAddress,
    isUnlimited: inNetworks(unlimitedAddresses),
    headerTimeoutMs,
    bodyTimeoutMs,
    idleTimeoutMs,
  };
}
