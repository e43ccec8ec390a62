import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse as parseYaml } from "yaml";
import { siteOf } from "../../internal/aggregate/sites/known-sites.ts";
import { hostOf } from "../../internal/aggregate/steps/address.ts";

// How many sites of public lists the aggregator knows, by the functions of its steps; docs/compatibility.md has the
// figures. Each list comes from a checkout:
// node scripts/compatibility/referrers.ts --ga4 dbt-ga4 --snowplow referer-parser --matomo searchengine-and-social-list
// With --misses it also prints the sites that are taken for something else.

const { values } = parseArgs({
  options: {
    ga4: { type: "string" },
    snowplow: { type: "string" },
    matomo: { type: "string" },
    misses: { type: "boolean", default: false },
  },
});

/** A site of a list: a host, or a name as campaign links write it. */
interface Listed {
  readonly site: string;
  readonly kind: string;
}

/** What the steps take a site for, as a referrer where it is a host. */
function kindOf(site: string): string {
  const isApp = /^(com|org)\.[^.]+\./.test(site);
  const source = site.includes(".")
    ? hostOf(`${isApp ? "android-app" : "https"}://${site}/`)
    : site.toLowerCase();
  return siteOf(source ?? "")?.kind ?? "none";
}

function report(title: string, listed: readonly Listed[]): void {
  for (const [kind, sites] of Map.groupBy(listed, (one) => one.kind)) {
    const misses = sites.filter(({ site }) => kindOf(site) !== kind);
    process.stdout.write(`${title}, ${kind}: ${sites.length - misses.length} of ${sites.length}\n`);
    if (!values.misses) continue;
    for (const { site } of misses) process.stdout.write(`  ${site}: ${kindOf(site)}\n`);
  }
}

const yaml = (file: string): unknown => parseYaml(readFileSync(file, "utf8"));
/** "{}" stands for a country: both the site's main domain and one country's are asked for. */
const hosts = (urls: readonly string[]) =>
  urls
    .map((url) => url.trim())
    .flatMap((url) => [url.replace(/\.\{\}$/, ".com"), url.replace(/\.\{\}$/, ".co.uk")])
    .map((url) => url.replace(/^\{\}\./, "de."))
    .filter((url, at, all) => url.includes(".") && !url.includes("/") && all.indexOf(url) === at);

if (values.ga4 !== undefined) {
  const lines = readFileSync(join(values.ga4, "seeds/ga4_source_categories.csv"), "utf8")
    .split(/\r?\n/)
    .slice(1);
  const listed = lines.flatMap((line) => {
    const [, site, kind] = /^"?(.*?)"?,SOURCE_CATEGORY_(\w+)$/.exec(line) ?? [];
    return site === undefined ? [] : [{ site, kind: kind!.toLowerCase() }];
  });
  report("GA4", listed);
}
if (values.snowplow !== undefined) {
  type Media = Record<string, Record<string, { readonly domains: readonly string[] }>>;
  const media = yaml(join(values.snowplow, "resources/referers.yml")) as Media;
  const kinds = { search: "search", social: "social", email: "mail", chatbot: "ai" };
  for (const [medium, kind] of Object.entries(kinds)) {
    const domains = Object.values(media[medium] ?? {}).flatMap((one) => one.domains);
    report(
      "Snowplow",
      hosts(domains).map((site) => ({ site, kind })),
    );
  }
}
if (values.matomo !== undefined) {
  const folder = values.matomo;
  const engines = yaml(join(folder, "SearchEngines.yml")) as Record<
    string,
    readonly { readonly urls: readonly string[] }[]
  >;
  const lists = {
    search: Object.values(engines).flatMap((parts) => parts.flatMap(({ urls }) => urls)),
    social: Object.values(yaml(join(folder, "Socials.yml")) as Record<string, readonly string[]>).flat(),
    ai: Object.values(yaml(join(folder, "AIAssistants.yml")) as Record<string, readonly string[]>).flat(),
  };
  for (const [kind, urls] of Object.entries(lists))
    report(
      "Matomo",
      hosts(urls).map((site) => ({ site, kind })),
    );
}
