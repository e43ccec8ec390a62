import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { createContextKey } from "@connectrpc/connect";
import { Failure } from "../../failure/failure.ts";
import { toConnectError } from "../../rpc/errors.ts";
import type { Admission, Gate } from "../../rpc/gate.ts";
import { peerKey } from "../../rpc/peer.ts";
import { Quota } from "../../rpc/quota.ts";
import type { Merchant } from "../../store/merchants.ts";
import type { CallerKind } from "./authenticate.ts";
import type { QueryMetrics } from "./metrics.ts";

/** What is known of an API key's merchant. */
export type KeyMerchant = Pick<Merchant, "merchantId" | "timeZone" | "currency">;

/** The merchant of a call that passed the gate. */
export const merchantKey = createContextKey<KeyMerchant | undefined>(undefined, { description: "merchant" });

/** The merchant whose API key of a kind the headers carry. @param peer address of the connection's other end. */
export type Authenticate = (headers: Headers, peer: string, kind: CallerKind) => Promise<KeyMerchant>;

/** The kind of key that an RPC takes: what changes something takes a management key. */
export function keyKindOf({ idempotency }: DescMethod): CallerKind {
  return idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS ? "read" : "manage";
}

/** Most bytes of requests that have come in part, and one merchant's share of them. */
const READING_BYTES = 16 << 20;
const MERCHANT_SHARE = 0.25;

/** What a client is told to wait when there is no room, ms: requests come and go. */
const NO_ROOM_WAIT_MS = 500;

/** Refuses calls of some services before their bodies are read: of unknown API keys, over a rate, without room. */
export function queryGate(
  services: readonly DescService[],
  authenticate: Authenticate,
  metrics: QueryMetrics,
): Gate {
  const quota = new Quota(READING_BYTES, MERCHANT_SHARE);
  const kinds = new Map(
    services.flatMap(({ typeName, methods }) =>
      methods.map((method) => [`/${typeName}/${method.name}`, keyKindOf(method)]),
    ),
  );
  return {
    async enter({ path, header, contextValues }) {
      if (!services.some(({ typeName }) => path.startsWith(`/${typeName}/`))) return undefined;
      const kind = kinds.get(path) ?? "read";
      const merchant = await authenticate(header, contextValues.get(peerKey), kind).catch(
        (error: unknown) => {
          metrics.refused(path, toConnectError(error).code);
          throw error;
        },
      );
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
