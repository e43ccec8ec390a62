import { readFileSync, writeFileSync } from "node:fs";
import { DIMENSIONS } from "../internal/query/schema/dimensions.ts";
import type { Dimension, Metric } from "../internal/query/schema/field.ts";
import { COMMERCE_METRICS } from "../internal/query/schema/metrics/commerce.ts";
import { ITEM_METRICS } from "../internal/query/schema/metrics/items.ts";
import { TRAFFIC_METRICS } from "../internal/query/schema/metrics/traffic.ts";
import { schemaOf } from "../internal/query/schema/schema.ts";

// Writes docs/metrics.md from the schema of questions; with --check says whether it is current.

const PAGE = "docs/metrics.md";

/** A merchant with one goal and one property, whose names stand for any. */
const SAMPLE = schemaOf({
  goals: [
    {
      goalId: 1,
      name: "NAME",
      eventName: "x",
      pagePattern: undefined,
      valueMicros: undefined,
      createdTime: 0,
    },
  ],
  properties: [{ name: "NAME", isNumeric: true }],
});

const cell = (text: string) => text.replaceAll("|", "\\|");

const KINDS: Readonly<Record<Metric["kind"], string>> = {
  additive: "additive",
  session_sum: "additive over sessions",
  distinct: "distinct",
  ratio: "ratio",
  quantile: "quantile",
};

function kindOf(metric: Metric): string {
  if (metric.kind !== "ratio") return KINDS[metric.kind];
  const { numerator, denominator, complement } = metric;
  return `${complement ? "1 - " : ""}\`${anyName(numerator.name)}\` / \`${anyName(denominator.name)}\``;
}

/** Of goals and properties with what stands for any. */
function anyName(name: string): string {
  return name.replace(/^goal:1:/, "goal:ID:");
}

function metricsTable(metrics: readonly Metric[]): string {
  const rows = metrics.map((metric) => {
    const { name, title, description, unit, scope } = metric;
    return `| \`${anyName(name)}\` | ${cell(title)} | ${cell(description)} | ${unit} | ${scope} | ${kindOf(metric)} |`;
  });
  return ["| name | title | what it is | unit | scope | kind |", "|---|---|---|---|---|---|", ...rows].join(
    "\n",
  );
}

function dimensionsTable(dimensions: readonly Dimension[]): string {
  const yes = (holds: boolean) => (holds ? "yes" : "no");
  const rows = dimensions.map(({ name, title, description, scope, type, filterable, groupable }) =>
    [
      `| \`${name}\` | ${cell(title)} | ${cell(description)} | ${type} | ${scope} |`,
      `${yes(groupable)} | ${yes(filterable)} |`,
    ].join(" "),
  );
  const head = "| name | title | what it is | type | scope | groups | filters |";
  return [head, "|---|---|---|---|---|---|---|", ...rows].join("\n");
}

const own = <F extends { readonly name: string }>(fields: readonly F[], beginning: string) =>
  fields.filter(({ name }) => name.startsWith(beginning));

/** The page. */
export function metricsPage(): string {
  return `# Metrics and dimensions
What questions may ask for ([reports.md](reports.md)). \`GetMetadata\` and \`footfall metadata\` list the same, with the merchant's own goals and properties, and tell what goes together. This page is made from the schema by \`node scripts/metrics-page.ts\`.

- **Unit**: \`currency\` is the merchant's; \`ratio\` is 0 to 1; \`percent\` 0 to 100.
- **Scope**: what one value is about.
- **Kind**: *additive* numbers of parts add up to that of the whole. Of *distinct* counts the whole is less than the sum, as who comes twice is one. A ratio has no value where what is below the line is 0.

## Traffic
${metricsTable(TRAFFIC_METRICS)}

## Commerce
${metricsTable(COMMERCE_METRICS)}

## Items
${metricsTable(ITEM_METRICS)}

## Goals
Of each goal of the merchant by its ID ([goals.md](goals.md)).

${metricsTable(own(SAMPLE.metrics, "goal:"))}

## Numbers of properties
Of each property NAME that is a number in an event. Values that are none do not count.

${metricsTable(own(SAMPLE.metrics, "property:"))}

## Dimensions
${dimensionsTable([...DIMENSIONS, ...SAMPLE.dimensions.filter(({ name }) => name === "goal"), ...own(SAMPLE.dimensions, "property:")])}
`;
}

function writeOrCheck(): void {
  const text = metricsPage();
  if (process.argv.includes("--check")) {
    const current = readFileSync(PAGE, "utf8") === text;
    if (!current) process.stderr.write(`${PAGE} is not current, run \`node scripts/metrics-page.ts\`\n`);
    process.exitCode = current ? 0 : 1;
  } else {
    writeFileSync(PAGE, text);
  }
}

if (import.meta.main) writeOrCheck();
