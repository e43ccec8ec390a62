import { freePort } from "../../internal/embedded/free-port.ts";
import { PARTS } from "./topology.ts";

/** The ports of a part, the same over restarts. */
export interface PartPorts {
  readonly service: number;
  /** /livez, /readyz and /metrics; a broker's /healthz. */
  readonly health: number;
  /** Where the other brokers reach a broker. */
  readonly routes: number;
}

/** Free ports for every part, no two alike. */
export async function choosePorts(): Promise<ReadonlyMap<string, PartPorts>> {
  const taken = new Set<number>();
  const next = async () => {
    for (;;) {
      const port = await freePort();
      if (taken.has(port)) continue;
      taken.add(port);
      return port;
    }
  };
  const ports = new Map<string, PartPorts>();
  for (const part of PARTS) {
    ports.set(part, { service: await next(), health: await next(), routes: await next() });
  }
  return ports;
}
