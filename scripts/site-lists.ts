import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getPublicSuffix, parse } from "tldts";
import { parse as parseYaml } from "yaml";

// Makes the imported lists of sites in internal/aggregate/sites from a checkout of Matomo's list (CC0-1.0):
// node scripts/site-lists.ts CHECKOUT COMMIT-AND-DATE

const [checkout, revision] = process.argv.slice(2);
if (checkout === undefined || revision === undefined) {
  throw new Error(
    "expected the folder of a checkout of matomo-org/searchengine-and-social-list, and its commit and date",
  );
}

const read = (file: string): unknown => parseYaml(readFileSync(join(checkout, file), "utf8"));

/**
 * A host of Matomo's list as HostTable takes it, "{}" standing for a country; undefined for what is no host: a path, a
 * word. Matomo's social sites and assistants stand for all below them; of search engines it names each host.
 */
function patternOf(url: string, isAlone: boolean): string | undefined {
  if (url.includes("/")) return undefined;
  const host = url.replace(/^www\./, "").replace(/\.\{\}$/, ".*");
  const known = parse(host.replace(/^\{\}\./, "").replace("*", "com"));
  // Names of Android's apps stand among the hosts, whole or in part; .android is a top-level domain, too.
  if (/^(com|org)\.[^.]+\./.test(host)) return `android-app:${host}`;
  if (known.publicSuffix === "android") return undefined;
  if (known.domain === null || !(known.isIcann || known.isPrivate || host.endsWith(".onion")))
    return undefined;
  if (host.startsWith("{}.")) return host.slice(3);
  return isAlone ? `=${host}` : host;
}

function write(kind: string, file: string, urls: readonly string[], isAlone: boolean): void {
  const patterns = new Set(urls.map((url) => patternOf(url, isAlone)).filter((found) => found !== undefined));
  // One that stands for all below it needs no others.
  const needed = [...patterns].filter(
    (pattern) => !pattern.startsWith("=") || !patterns.has(pattern.slice(1)),
  );
  const lines = Map.groupBy(needed, (pattern) => groupOf(pattern.replace("=", "")));
  const text = [...lines.values()].map((hosts) => `- ${hosts.join(" ")}\n`).toSorted();
  const origin = `# Made by scripts/site-lists.ts from ${file} of github.com/matomo-org/searchengine-and-social-list
# (CC0-1.0), ${revision}. Our own lists go before it.\n`;
  writeFileSync(join("internal/aggregate/sites", `matomo-${kind}.txt`), origin + text.join(""));
}

/** Hosts of one registered name share a line. */
function groupOf(pattern: string): string {
  const host = pattern.replace("*", "com");
  return parse(host).domainWithoutSuffix ?? getPublicSuffix(host) ?? host;
}

type Engines = Record<string, readonly { readonly urls: readonly string[] }[]>;
const engines = Object.values(read("SearchEngines.yml") as Engines).flat();
write(
  "search",
  "SearchEngines.yml",
  engines.flatMap(({ urls }) => urls),
  true,
);
const social = read("Socials.yml") as Record<string, readonly string[]>;
write("social", "Socials.yml", Object.values(social).flat(), false);
const assistants = read("AIAssistants.yml") as Record<string, readonly string[]>;
write("ai", "AIAssistants.yml", Object.values(assistants).flat(), false);
