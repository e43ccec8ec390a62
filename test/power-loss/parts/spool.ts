import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { FakeIngest, KEYS, TOKEN } from "../../../internal/collect/testing/fake-ingest.ts";
import { FakePublisher } from "../../../internal/collect/testing/fake-publisher.ts";
import type { Child } from "../../../internal/embedded/child.ts";
import { freePort } from "../../../internal/embedded/free-port.ts";
import { startProgram } from "../../../internal/standalone/programs.ts";
import { bearer, type CollectClient, collectClient } from "../../kit/installation-clients.ts";
import { spooledBatches, waitUntilDrained } from "../../kit/installation-spool.ts";
import { waitFor } from "../../kit/installation-wait.ts";
import { testKey } from "../../kit/keys.ts";
import { killChild, type Part } from "../part.ts";

const KEY = testKey(Object.keys(KEYS)[0]!);

/** A collector that acks from its spool, as ingest is away while events come. */
export class SpoolPart implements Part {
  readonly #folder: string;
  /** Takes what the spool is drained to. */
  readonly #publisher = new FakePublisher();
  readonly #ingest = new FakeIngest(this.#publisher);
  #collector: Child | undefined;
  #opsUrl = "";
  #client: CollectClient | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(): Promise<void> {
    if (this.#ingest.port === 0) await this.#ingest.start();
    const [port, opsPort] = [await freePort(), await freePort()];
    this.#collector = await startProgram("collector", opsPort, {
      FOOTFALL_COLLECTOR_PORT: String(port),
      FOOTFALL_COLLECTOR_SPOOL_DIR: join(this.#folder, "spool"),
      FOOTFALL_COLLECTOR_SPOOL_AFTER_MS: "1000",
      FOOTFALL_INGEST_ADDRESS: this.#ingest.address,
      FOOTFALL_INGEST_TOKEN: TOKEN,
      FOOTFALL_LOG_LEVEL: "warn",
    });
    this.#opsUrl = `http://127.0.0.1:${opsPort}`;
    this.#client = collectClient(`http://127.0.0.1:${port}`);
  }

  /** The collector must know the key before ingest goes away. */
  async ready(): Promise<void> {
    await this.send(randomUUID());
    this.#ingest.kill();
    await waitFor("an event in the spool", async () => {
      await this.send(randomUUID());
      return (await spooledBatches(this.#opsUrl)) > 0;
    });
  }

  async send(eventId: string): Promise<void> {
    const events = [{ name: "page_view", url: "https://shop.example/", eventId }];
    const { accepted } = await this.#client!.send({ events }, { ...bearer(KEY), timeoutMs: 5_000 });
    if (accepted !== 1) throw new Error("not accepted");
  }

  async kill(): Promise<void> {
    await killChild(this.#collector);
  }

  async stored(): Promise<string[]> {
    if (!this.#ingest.listens) await this.#ingest.start();
    await waitUntilDrained(this.#opsUrl);
    return this.#publisher.rows().map(({ eventId }) => eventId);
  }

  async close(): Promise<void> {
    await killChild(this.#collector);
    this.#ingest.kill();
  }
}
