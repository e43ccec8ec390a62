import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { CollectService, EventStatus } from "../../../internal/gen/footfall/collect/v1/collect_pb.js";
import type { CreatedMerchant } from "../../../internal/store/merchants.ts";
import { bearer } from "../../kit/installation-clients.ts";
import { waitFor } from "../../kit/installation-wait.ts";

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

/** An SDK that sends events again, under the same ids, until they are acked. */
export class SdkClient {
  readonly #client: ReturnType<typeof createClient<typeof CollectService>>;

  constructor(baseUrl: string) {
    this.#client = createClient(CollectService, createGrpcTransport({ baseUrl }));
  }

  async send(load: Load): Promise<void> {
    await waitFor("an ack", () => this.#isAcked(load), ACK_MS);
  }

  async #isAcked({ merchant, ids, time }: Load): Promise<boolean> {
    const events = ids.map((eventId, at) => ({
      eventId,
      name: "page_view",
      url: "https://shop.example/",
      clientTime: timestampFromMs(time + at),
    }));
    const options = { ...bearer(merchant.writeKey), timeoutMs: ANSWER_MS };
    const { statuses } = await this.#client.send({ events }, options);
    if (statuses.includes(EventStatus.REJECTED)) throw new Error("an event was rejected");
    return statuses.every((status) => status !== EventStatus.UNAVAILABLE);
  }
}
