import { z } from "zod";
import { choice, optional, type Setting } from "../../../internal/config/setting.ts";
import { fieldsTable, table } from "../../../internal/program/table.ts";
import {
  type ApiKey,
  type CreatedKey,
  createKey,
  listKeys,
  revokeKey,
  rotateKey,
} from "../../../internal/store/api-keys.ts";
import { KEY_KINDS } from "../../../internal/store/key-text.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import { command, merchant } from "../command.ts";

const key: Setting<string> = {
  description: "id of the key, as `keys list` shows it: the first 12 digits of its SHA-256",
  schema: z.string().regex(/^[0-9a-f]{12}$/, "is no id of a key: 12 digits of 0-9 and a-f"),
  // Who takes the id for the key gives the key itself, which is not to be repeated.
  secret: true,
};

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

const overlap: Setting<number> = {
  description: "how long the old key goes on working, such as 30m, 24h or 7d; absent: until it is revoked",
  schema: z
    .string()
    .regex(/^\d{1,4}[mhd]$/, "is no time such as 30m, 24h or 7d")
    .transform((value) => Number(value.slice(0, -1)) * UNIT_MS[value.at(-1)!]!),
};

/** The defaults of FOOTFALL_COLLECTOR_KEY_FRESH_MS and _INGEST_ together, and of _QUERY_. */
const WITHIN =
  "It holds everywhere within 70 seconds for a write key and 5 for another, which is how long programs remember them by default.";

const list = command({
  name: "keys list",
  description: "Shows a merchant's API keys, by id; none can be seen again.",
  example: "--merchant 1",
  settings: { merchant },
  run: async (pool, { merchant: merchantId }) => {
    await readInstallation(pool);
    return listKeys(pool, merchantId);
  },
  table: (keys) => table(["key", "kind", "created", "state"], keys.map(cellsOf)),
});

const create = command({
  name: "keys create",
  description: "Makes one more API key of a merchant and prints it, which cannot be seen again.",
  example: "--merchant 1 --kind write",
  settings: {
    merchant,
    kind: {
      description: "write (sends events), read (asks for reports) or manage (changes goals)",
      schema: choice(KEY_KINDS),
    },
  },
  run: async (pool, { merchant: merchantId, kind }) => {
    await readInstallation(pool);
    return createKey(pool, merchantId, kind);
  },
  table: shownOnce,
});

const rotate = command({
  name: "keys rotate",
  description:
    "Makes an API key that takes the place of another and prints it, which cannot be seen again. The old one goes on working until it is revoked, or for --overlap.",
  example: "--merchant 1 --key 3f0a9c41d2b7 --overlap 24h",
  settings: { merchant, key, overlap: optional(overlap) },
  run: async (pool, { merchant: merchantId, key: keyId, overlap: overlapMs }) => {
    await readInstallation(pool);
    const { created, old } = await rotateKey(pool, merchantId, keyId, overlapMs);
    return { ...created, old };
  },
  table: ({ old, ...created }) => `${shownOnce(created)}\nThe old key ${old.keyId}: ${stateOf(old)}.`,
});

const revoke = command({
  name: "keys revoke",
  description: `Ends an API key. ${WITHIN}`,
  example: "--merchant 1 --key 3f0a9c41d2b7",
  settings: { merchant, key },
  run: async (pool, { merchant: merchantId, key: keyId }) => {
    await readInstallation(pool);
    return { revoked: await revokeKey(pool, merchantId, keyId) };
  },
  table: ({ revoked }) => `The ${revoked.kind} key ${revoked.keyId} is ${stateOf(revoked)}. ${WITHIN}`,
});

function shownOnce({ key: clear, keyId, kind, createdAt }: CreatedKey): string {
  const fields = fieldsTable({ id: keyId, kind, created: createdAt, key: clear });
  return `${fields}\nThe key is shown this once.`;
}

const cellsOf = (one: ApiKey) => [one.keyId, one.kind, one.createdAt, stateOf(one)];

function stateOf({ revokedAt }: ApiKey): string {
  if (revokedAt === null) return "works";
  const time = revokedAt.toISOString().replace(/\.\d+Z$/, "Z");
  return revokedAt.getTime() <= Date.now() ? `revoked since ${time}` : `works until ${time}`;
}

export const KEY_COMMANDS = [list, create, rotate, revoke];
