import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";

const POLL_MS = 50;

/** The name of the server that leads a stream; undefined while none is elected, or without a cluster. */
export async function streamLeader(nc: NatsConnection, stream: string): Promise<string | undefined> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  return (await jsm.streams.info(stream)).cluster?.leader || undefined;
}

/**
 * Makes the leader of a stream step down, and waits until one is elected, which may be the same again.
 * @returns its name.
 * @throws when there is none within `timeoutMs`.
 */
export async function stepDownLeader(
  nc: NatsConnection,
  stream: string,
  timeoutMs = 30_000,
): Promise<string> {
  await nc.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, "", { timeout: timeoutMs });
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    // While there is no leader nobody answers.
    const leader = await streamLeader(nc, stream).catch(() => undefined);
    if (leader !== undefined) return leader;
    if (performance.now() > deadline) throw new Error(`${stream}: no leader within ${timeoutMs} ms`);
    await sleep(POLL_MS);
  }
}
