import { Failure } from "../failure/failure.ts";
import type { Client } from "./pool.ts";

/** Keeps a merchant's row as it is until the transaction ends. @throws Failure "not_found" for an unknown merchant. */
export async function lockMerchant(client: Client, merchantId: number): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM merchants WHERE merchant_id = $1 FOR NO KEY UPDATE", [
    merchantId,
  ]);
  if (rowCount === 0) throw new Failure("not_found", `there is no merchant ${merchantId}`);
}
