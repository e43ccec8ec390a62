import { createContextKey } from "@connectrpc/connect";
import { Failure } from "../failure/failure.ts";
import { QueryService } from "../gen/footfall/report/v1/report_pb.js";
import { toConnectError } from "../rpc/errors.ts";
import type { Admission, Gate } from "../rpc/gate.ts";
import { peerKey } from "../rpc/peer.ts";
import { Quota } from "../rpc/quota.ts";
import type { Merchant } from "./get-report.ts";
import type { QueryMetrics } from "./metrics.ts";

/** The merchant of a call that passed the gate. */
export const merchantKey = createContextKey<Merchant | undefined>(undefined, { description: "merchant" });

/** The merchant whose read key the headers carry. @param peer address of the connection's other end. */
export type Authenticate = (headers: Headers, peer: string) => Promise<Merchant>;

/** Most bytes of requests that have come in part, and one merchant's share of them. */
const READING_BYTES = 16 << 20;
const MERCHANT_SHARE = 0.25;

/** What a client is told to wait when there is no room, ms: requests come and go. */
const NO_ROOM_WAIT_MS = 500;

/** Refuses calls of QueryService before their bodies are read: of unknown keys, over a rate, without room. */
export function queryGate(authenticate: Authenticate, metrics: QueryMetrics): Gate {
  const quota = new Quota(READING_BYTES, MERCHANT_SHARE);
  return {
    async enter({ path, header, contextValues }) {
      if (!path.startsWith(`/${QueryService.typeName}/`)) return undefined;
      const merchant = await authenticate(header, contextValues.get(peerKey)).catch((error: unknown) => {
        metrics.refused(path, toConnectError(error).code);
        throw error;
      });
      contextValues.set(merchantKey, merchant);
      return new Reading(quota, merchant.merchantId);
    },
  };
}

/** The bytes of a call that are being read. */
class Reading implements Admission {
  readonly #quota: Quota;
  readonly #merchantId: number;
  #bytes = 0;

  constructor(quota: Quota, merchantId: number) {
    this.#quota = quota;
    this.#merchantId = merchantId;
  }

  read(bytes: number): void {
    if (this.#quota.refusal(this.#merchantId) !== undefined) {
      this.release(this.#bytes);
      const message = `merchant ${this.#merchantId}: too many bytes of requests at one time`;
      throw new Failure("exhausted", message, { retryAfterMs: NO_ROOM_WAIT_MS });
    }
    this.#quota.take(this.#merchantId, bytes);
    this.#bytes += bytes;
  }

  release(bytes: number): void {
    const held = Math.min(bytes, this.#bytes);
    this.#quota.give(this.#merchantId, held);
    this.#bytes -= held;
  }

  close(): void {
    this.release(this.#bytes);
  }
}
