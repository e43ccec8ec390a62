import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import type { Probe } from "../program/probes.ts";
import type { NatsConnection } from "./connect.ts";

/**
 * A nats-server whose disk was full switches JetStream off by itself and leaves it off, also when there is room again
 * (handleOutOfSpace in server/jetstream.go); a reload or a start switches it on. Publishers then hear `no responders`,
 * and its API is silent.
 */
const MEND =
  "a nats-server whose disk was full switches it off and leaves it off: make room there, then reload it (nats-server --signal reload) or start it again";

/** Longest wait for an answer of JetStream, and then for one of the server, ms. */
const TIMEOUT_MS = 2_000;

/** Asks JetStream whether it answers; its errors say what a person has to do. */
export function jetStreamProbe(nc: NatsConnection): Probe {
  return { part: "jetstream", ask: () => ask(nc) };
}

async function ask(nc: NatsConnection): Promise<void> {
  const jsm = await jetstreamManager(nc, { timeout: TIMEOUT_MS, checkAPI: false });
  try {
    await jsm.getAccountInfo();
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    if (/no responders|not enabled/i.test(said)) throw new Error(`is not enabled: ${MEND}`, { cause });
    if (!(await isConnected(nc))) throw new Error("no NATS server answers", { cause });
    throw new Error(
      `does not answer (${said}), though the NATS server does: its cluster has no leader, or ${MEND}`,
      {
        cause,
      },
    );
  }
}

async function isConnected(nc: NatsConnection): Promise<boolean> {
  const late = sleep(TIMEOUT_MS, false, { ref: false });
  return Promise.race([
    nc
      .rtt()
      .then(() => true)
      .catch(() => false),
    late,
  ]);
}
