import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApiKey, CreatedKey } from "../../internal/store/api-keys.ts";
import { keySha256 } from "../../internal/store/api-keys.ts";
import { KEY_KINDS, type KeyKind } from "../../internal/store/key-text.ts";
import { createMerchant, findMerchantByKey } from "../../internal/store/merchants.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { resultOf, runAdmin } from "./testing/run.ts";

const HOUR_MS = 3_600_000;

let database: TestDatabase;
let merchant: string;
let first: { write: string; read: string };
beforeAll(async () => {
  database = await openTestDatabase(1);
  const shop = { name: "Shop", timeZone: "UTC", currency: "EUR", retentionDays: 30 };
  const { merchantId, writeKey, readKey } = await createMerchant(database.pool, shop);
  await createMerchant(database.pool, { ...shop, name: "Other" });
  merchant = String(merchantId);
  first = { write: writeKey, read: readKey };
});
afterAll(() => database?.close());

const env = () => ({ DATABASE_URL: database.url });
const run = (...args: string[]) => runAdmin(["keys", ...args], env());
const result = <T>(verb: string, ...args: string[]) =>
  resultOf<T>(["keys", verb, "--merchant", merchant, ...args], env());

/** As `printf %s KEY | sha256sum | cut -c1-12` has it. */
const idOf = (key: string) => createHash("sha256").update(key).digest("hex").slice(0, 12);

/** Whether a key is taken, by the look-up that ingest and query make. */
const works = async (kind: KeyKind, key: string) =>
  (await findMerchantByKey(database.pool, kind, keySha256(key)))?.merchantId === Number(merchant);

test("list shows ids and states, and no key", async () => {
  const keys = await result<ApiKey[]>("list");
  expect(keys.map(({ keyId, kind, revokedAt }) => [keyId, kind, revokedAt]).sort()).toEqual(
    [
      [idOf(first.write), "write", null],
      [idOf(first.read), "read", null],
    ].sort(),
  );
  const { stdout } = await run("list", "--merchant", merchant);
  expect(stdout).toContain(idOf(first.write));
  expect(stdout).toMatch(/│ write +│.*│ works +│/);
  expect(stdout).not.toMatch(/ff[wrm]_/);
});

test.each(["write", "read", "manage"] as const)(
  "create makes one more %s key, of that kind only",
  async (kind) => {
    const { key, keyId } = await result<CreatedKey>("create", "--kind", kind);
    expect(keyId).toBe(idOf(key));
    expect(await works(kind, key)).toBe(true);
    for (const other of KEY_KINDS.filter((each) => each !== kind))
      expect(await works(other, key)).toBe(false);
    if (kind !== "manage") expect(await works(kind, first[kind])).toBe(true);
  },
);

test("after rotate both keys work, until the old one is revoked", async () => {
  const { key, old } = await result<CreatedKey & { old: ApiKey }>("rotate", "--key", idOf(first.write));
  expect(old).toMatchObject({ keyId: idOf(first.write), kind: "write", revokedAt: null });
  expect([await works("write", first.write), await works("write", key)]).toEqual([true, true]);
  const before = Date.now();
  const { revoked } = await result<{ revoked: ApiKey }>("revoke", "--key", idOf(first.write));
  expect(Math.abs(Date.parse(String(revoked.revokedAt)) - before)).toBeLessThan(60_000);
  expect([await works("write", first.write), await works("write", key)]).toEqual([false, true]);
  expect(await result("revoke", "--key", idOf(first.write))).toEqual({ revoked });
  const again = await run("rotate", "--merchant", merchant, "--key", idOf(first.write));
  expect(again).toMatchObject({ code: 2, stdout: "" });
  expect(again.stderr).toContain(`admin keys rotate: key ${idOf(first.write)} is revoked`);
});

test("with --overlap the old key ends by itself", async () => {
  const { key, old } = await result<CreatedKey & { old: ApiKey }>(
    "rotate",
    ...["--key", idOf(first.read), "--overlap", "24h"],
  );
  const end = Date.parse(String(old.revokedAt));
  expect(Math.abs(end - Date.now() - 24 * HOUR_MS)).toBeLessThan(60_000);
  expect([await works("read", first.read), await works("read", key)]).toEqual([true, true]);
  expect((await run("list", "--merchant", merchant)).stdout).toContain("works until");
  // A day later.
  await database.pool.query("UPDATE api_keys SET revoked_at = revoked_at - INTERVAL '1 day 1 minute'");
  expect([await works("read", first.read), await works("read", key)]).toEqual([false, true]);
});

test("for people: the key once, and when revocation holds", async () => {
  const { stdout } = await run("create", "--merchant", merchant, "--kind", "read");
  const [key] = /ffr_[\w-]{49}/.exec(stdout)!;
  expect(stdout).toContain("The key is shown this once.");
  const revoked = await run("revoke", "--merchant", merchant, "--key", idOf(key));
  expect(revoked.stdout).toMatch(/The read key [0-9a-f]{12} is revoked since .* within 70 seconds/);
});

test.each([
  ["an unknown merchant", ["list", "--merchant", "77"], "there is no merchant 77"],
  ["a key that is not there", ["revoke", "--merchant", "1", "--key", "0".repeat(12)], "has no key"],
  ["a kind that is none", ["create", "--merchant", "1", "--kind", "admin"], "is none of write, read, manage"],
  [
    "a time that is none",
    ["rotate", "--merchant", "1", "--key", "0".repeat(12), "--overlap", "1 day"],
    '--overlap: "1 day" is no time such as 30m',
  ],
])("%s: exit code 2, in one line", async (_, args, message) => {
  const { code, stdout, stderr } = await run(...args);
  expect(stderr).toContain(message);
  expect({ code, stdout, lines: stderr.trim().split("\n").length }).toEqual({
    code: 2,
    stdout: "",
    lines: 1,
  });
});

test("another merchant's API key cannot be ended", async () => {
  const { key } = await result<CreatedKey>("create", "--kind", "read");
  const { code, stderr } = await run("revoke", "--merchant", "2", "--key", idOf(key));
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: `admin keys revoke: merchant 2 has no key "${idOf(key)}"\n`,
  });
  expect(await works("read", key)).toBe(true);
});
