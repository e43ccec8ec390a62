import { createHmac } from "node:crypto";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BatchStatus } from "../../internal/gen/footfall/ingest/v1/ingest_pb.js";
import { keySha256 } from "../../internal/store/api-keys.ts";
import { createMerchant } from "../../internal/store/merchants.ts";
import { LineProxy } from "../../test/kit/line-proxy.ts";
import { TestPublishStream } from "../../test/kit/publish-stream.ts";
import { goodBatch, type Ingest, PARTITIONS, Rig } from "./testing/rig.ts";

let rig: Rig;
let ingest: Ingest;

beforeAll(async () => {
  rig = await Rig.open();
  ingest = await rig.start();
});

afterAll(() => rig?.close());

describe("ResolveKey", () => {
  test("the merchant of a write key, with what a collector needs to know", async () => {
    const before = Date.now();
    const { readTime, ...answer } = await ingest.client.resolveKey(keySha256(rig.merchant.writeKey));
    expect(answer).toMatchObject({
      merchantId: rig.merchant.merchantId,
      retentionDays: 365,
      partitions: PARTITIONS,
      keepFullIp: false,
    });
    expect(timestampMs(readTime!)).toBeGreaterThanOrEqual(before);
  });

  test("the merchant's visitor-id key, of the secret that the migration has made, from every ingest", async () => {
    const { rows } = await rig.database.pool.query<{ secret: Buffer }>(
      "SELECT secret FROM visitor_id_secret",
    );
    expect(rows.map(({ secret }) => secret.length)).toEqual([32]);
    const keyOf = (merchant: number) =>
      createHmac("sha256", rows[0]!.secret).update(`visitor ids of merchant ${merchant}`).digest();
    const other = await createMerchant(rig.database.pool, { ...rig.merchant, name: "Other" });
    const second = await rig.start();
    const told = new Set<string>();
    for (const { writeKey } of [rig.merchant, other]) {
      for (const { client } of [ingest, second]) {
        const { merchantId, visitorIdKey } = await client.resolveKey(keySha256(writeKey));
        expect(Buffer.from(visitorIdKey)).toEqual(keyOf(merchantId));
        told.add(Buffer.from(visitorIdKey).toString("hex"));
      }
    }
    expect(told.size).toBe(2);
  });

  test("that the merchant keeps whole addresses", async () => {
    const open = { ...rig.merchant, name: "Open", truncateIp: false };
    const { writeKey } = await createMerchant(rig.database.pool, open);
    expect(await ingest.client.resolveKey(keySha256(writeKey))).toMatchObject({ keepFullIp: true });
  });

  test.each([
    ["an unknown write key", () => keySha256("ffw_unknown")],
    ["a read key", () => keySha256(rig.merchant.readKey)],
    ["no hash at all", () => new Uint8Array(0)],
  ])("%s is NOT_FOUND", async (_, hash) => {
    await expect(ingest.client.resolveKey(hash())).rejects.toMatchObject({ kind: "not_found" });
  });

  test("a revoked write key is NOT_FOUND", async () => {
    const revoked = await createMerchant(rig.database.pool, { ...rig.merchant, name: "Gone" });
    const hash = keySha256(revoked.writeKey);
    await rig.database.pool.query("UPDATE api_keys SET revoked_at = now() WHERE key_sha256 = $1", [hash]);
    await expect(ingest.client.resolveKey(hash)).rejects.toMatchObject({ kind: "not_found" });
  });

  test("a wrong token is refused, whatever the key", async () => {
    const answer = ingest.clientWith("wrong").resolveKey(keySha256(rig.merchant.writeKey));
    await expect(answer).rejects.toMatchObject({ cause: { code: 16 } });
  });

  test("with the database away a known key still works, and says how old the answer is", async () => {
    const proxy = await LineProxy.start(Number(new URL(rig.database.url).port));
    const url = new URL(rig.database.url);
    url.port = String(proxy.port);
    const { client } = await rig.start({ "database-url": url.href, "key-fresh-ms": "0" });
    const known = await client.resolveKey(keySha256(rig.merchant.writeKey));
    await proxy.close();
    const later = await client.resolveKey(keySha256(rig.merchant.writeKey));
    expect(later).toEqual(known);
    await expect(client.resolveKey(keySha256("ffw_new"))).rejects.toMatchObject({
      kind: "unavailable",
      cause: { code: 14 },
    });
    // Batches do not need the database at all.
    const stream = new TestPublishStream(client);
    const batch = goodBatch();
    stream.send(batch.bytes);
    expect(await stream.answer(batch.id)).toMatchObject({ status: BatchStatus.STORED });
    stream.halfClose();
  });
});
