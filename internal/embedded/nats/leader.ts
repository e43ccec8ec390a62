import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";

const POLL_MS = 50;

/** The name of the server that leads a stream; undefined while none is elected, or without a cluster. */
async function streamLeader(nc: NatsConnection, stream: string): Promise<string | undefined> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  return (await jsm.streams.info(stream)).cluster?.leader || undefined;
}

/**
 * Waits until a stream has a leader.
 * @returns its name.
 * @throws when there is none within `timeoutMs`.
 */
export async function electedLeader(nc: NatsConnection, stream: string, timeoutMs = 30_000): Promise<string> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    // While there is no leader nobody answers, or the answer names none.
    const leader = await streamLeader(nc, stream).catch(() => undefined);
    if (leader !== undefined) return leader;
    if (performance.now() > deadline) throw new Error(`${stream}: no leader within ${timeoutMs} ms`);
    await sleep(POLL_MS);
  }
}

/**
 * Makes the leader of a stream step down, and waits until one is elected, which may be the same again. The one
 * that steps down may be named a moment longer.
 * @returns its name.
 * @throws when there is none within `timeoutMs`.
 */
export async function stepDownLeader(
  nc: NatsConnection,
  stream: string,
  timeoutMs = 30_000,
): Promise<string> {
  await nc.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, "", { timeout: timeoutMs });
  return electedLeader(nc, stream, timeoutMs);
}
