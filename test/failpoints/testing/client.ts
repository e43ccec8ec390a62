import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { CreatedMerchant } from "../../../internal/store/merchants.ts";
import { waitFor } from "../../kit/installation-wait.ts";
import { SdkClient } from "../../kit/sdk-client.ts";

/** Longest wait for one answer, and for an event to be acked in the end, ms. */
const ANSWER_MS = 3_000;
const ACK_MS = 60_000;

/** What an SDK has sent: one request, its events all of one merchant. */
export interface Load {
  readonly merchant: CreatedMerchant;
  readonly ids: readonly string[];
  /** Ms since 1970-01-01 UTC. */
  readonly time: number;
}

/** Sends loads to a collector, each merchant's by an SDK of its own, again under the same ids until they are acked. */
export class Loader {
  readonly #url: string;
  readonly #sdks = new Map<CreatedMerchant, SdkClient>();

  constructor(url: string) {
    this.#url = url;
  }

  async send({ merchant, ids, time }: Load): Promise<void> {
    const sdk = this.#sdks.get(merchant) ?? new SdkClient([this.#url], merchant.writeKey, ANSWER_MS);
    this.#sdks.set(merchant, sdk);
    const events = ids.map((eventId, at) => ({
      eventId,
      name: "page_view",
      url: "https://shop.example/",
      clientTime: timestampFromMs(time + at),
    }));
    const acked = async () => {
      await sdk.send(events);
      return true;
    };
    await waitFor("an ack", acked, ACK_MS);
  }

  close(): void {
    for (const sdk of this.#sdks.values()) sdk.close();
  }
}
