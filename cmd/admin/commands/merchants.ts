import { ConfigError } from "../../../internal/config/config-error.ts";
import { hostNames } from "../../../internal/config/host-names.ts";
import { integer, member, optional, text, yesNo } from "../../../internal/config/setting.ts";
import { CURRENCY_CODES } from "../../../internal/currency/currencies.ts";
import { fieldsTable, table } from "../../../internal/program/table.ts";
import {
  type CreatedMerchant,
  createMerchant,
  listMerchants,
  type Merchant,
  updateMerchant,
} from "../../../internal/store/merchants.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import { command, merchant } from "../command.ts";

const ABOUT = {
  name: { description: "its name", schema: text() },
  timeZone: {
    description: "IANA name of the time zone in which its days begin",
    schema: member("an IANA time zone", ["UTC", ...Intl.supportedValuesOf("timeZone")]),
    fallback: "UTC",
  },
  currency: {
    description: "ISO 4217 code of its reports' currency, which stays once it has events",
    schema: member("an ISO 4217 code", CURRENCY_CODES),
    fallback: "USD",
  },
  retentionDays: {
    description: "days of event time that are kept; older events are refused, and removed",
    schema: integer(1, 7_300),
    fallback: "760",
  },
  truncateIp: {
    description:
      "whether collectors truncate visitors' addresses to /24 and /48 before they store or send them: true or false",
    schema: yesNo(),
    fallback: "true",
  },
  ownDomain: {
    description:
      "host of its own beside those that its pages show, for all hosts below it; several times, or with commas",
    schema: hostNames(),
    fallback: "",
    isList: true,
  },
  ignoredReferrer: {
    description:
      "host that starts no visit, such as a payment provider's, for all hosts below it; several times, or with commas",
    schema: hostNames(),
    fallback: "",
    isList: true,
  },
} as const;

const create = command({
  name: "merchants create",
  description: "Creates a merchant and prints its write key and its read key, which cannot be seen again.",
  example: '--name "My shop" --time-zone Europe/Berlin --currency EUR',
  settings: ABOUT,
  run: async (
    pool,
    { name, timeZone, currency, retentionDays, truncateIp, ownDomain, ignoredReferrer },
  ): Promise<CreatedMerchant> => {
    await readInstallation(pool);
    const lists = { ownDomains: ownDomain, ignoredReferrers: ignoredReferrer };
    return createMerchant(pool, { name, timeZone, currency, retentionDays, truncateIp, ...lists });
  },
  table: ({ writeKey, readKey, ...made }) =>
    `${fieldsTable({ ...fieldsOf(made), "write key": writeKey, "read key": readKey })}\nThe keys are shown this once.`,
});

const list = command({
  name: "merchants list",
  description: "Shows all merchants, and from when on each one's reports may use rollups.",
  example: "",
  settings: {},
  run: async (pool) => {
    await readInstallation(pool);
    return (await listMerchants(pool)).map(printed);
  },
  table: (merchants) => {
    const rows = merchants.map(fieldsOf);
    return table(Object.keys(rows[0] ?? { "no merchants": "" }), rows.map(Object.values));
  },
});

const update = command({
  name: "merchants update",
  description:
    "Changes what is given of a merchant; collectors and queries know within 70 seconds. A list is replaced as a whole, by --own-domain= and the like by none. Fewer days of retention remove what is older, for good.",
  example: "--merchant 1 --own-domain shop.example --own-domain shop-pay.example",
  settings: {
    merchant,
    name: optional(ABOUT.name),
    timeZone: optional(ABOUT.timeZone),
    currency: optional(ABOUT.currency),
    retentionDays: optional(ABOUT.retentionDays),
    truncateIp: optional(ABOUT.truncateIp),
    ownDomain: optional(ABOUT.ownDomain),
    ignoredReferrer: optional(ABOUT.ignoredReferrer),
  },
  run: async (pool: Pool, { merchant: merchantId, ownDomain, ignoredReferrer, ...given }) => {
    const { name, timeZone, currency, retentionDays, truncateIp } = given;
    const lists = { ownDomains: ownDomain, ignoredReferrers: ignoredReferrer };
    const changes = { name, timeZone, currency, retentionDays, truncateIp, ...lists };
    if (Object.values(changes).every((value) => value === undefined)) {
      throw new ConfigError("nothing is to be changed; --help shows what can be");
    }
    await readInstallation(pool);
    return printed(await updateMerchant(pool, merchantId, changes));
  },
  table: (merchant) => fieldsTable(fieldsOf(merchant)),
});

/** A merchant as JSON has it: times in ISO 8601. */
function printed({ rollupsReadyFrom, ...about }: Merchant) {
  const isReady = rollupsReadyFrom !== null && rollupsReadyFrom !== undefined;
  return { ...about, rollupsReadyFrom: isReady ? new Date(rollupsReadyFrom).toISOString() : null };
}

function fieldsOf(about: Omit<Merchant, "rollupsReadyFrom"> & { rollupsReadyFrom?: unknown }) {
  return {
    merchant: String(about.merchantId),
    name: about.name,
    "time zone": about.timeZone,
    currency: about.currency,
    "retention, days": about.retentionDays,
    "addresses truncated": about.truncateIp,
    "own domains": about.ownDomains.join("\n"),
    "ignored referrers": about.ignoredReferrers.join("\n"),
    "rollups from": about.rollupsReadyFrom == null ? "" : String(about.rollupsReadyFrom).slice(0, 10),
  };
}

export const MERCHANT_COMMANDS = [create, list, update];
