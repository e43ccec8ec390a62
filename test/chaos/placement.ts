import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager, StorageType } from "@nats-io/jetstream";
import type { NatsConnection } from "../../internal/stream/connect.ts";
import { partsOfKind } from "./topology.ts";

const STREAM = "PLACEMENT";

/** How long brokers that have just started may take to know one another, ms, and the pause between two looks. */
const KNOWN_MS = 20_000;
const POLL_MS = 200;

/**
 * Whether JetStream finds room for a stream on all brokers. On a busy machine servers that answer, and have elected a
 * leader, sometimes take one another for away, and go on doing so (nats-server 2.10).
 */
export async function placesStreams(nats: NatsConnection): Promise<boolean> {
  const jsm = await jetstreamManager(nats, { checkAPI: false, timeout: 5_000 });
  const config = { name: STREAM, subjects: [STREAM], storage: StorageType.Memory };
  const deadline = performance.now() + KNOWN_MS;
  while (performance.now() < deadline) {
    try {
      await jsm.streams.add({ ...config, num_replicas: partsOfKind("nats").length });
      await jsm.streams.delete(STREAM);
      return true;
    } catch {
      // Not yet: the caller is told when it never comes.
      await sleep(POLL_MS);
    }
  }
  return false;
}
