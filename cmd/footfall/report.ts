import { askReport } from "../../internal/client/ask/ask.ts";
import { ACCURACIES, IDENTITIES, parseQuestion, TRAFFICS } from "../../internal/client/ask/parse-question.ts";
import type { Report } from "../../internal/client/report.ts";
import { reportChart } from "../../internal/client/show/chart.ts";
import { reportCsv } from "../../internal/client/show/csv.ts";
import { reportJson } from "../../internal/client/show/json.ts";
import { reportTable } from "../../internal/client/show/table.ts";
import { choice, flag, integer, optional, text } from "../../internal/config/setting.ts";
import { GRANULARITIES } from "../../internal/query/time/beginnings.ts";
import { command, names, optionalNames } from "./command.ts";

const FORMATS = {
  table: reportTable,
  chart: (report: Report) => reportChart(report, process.stdout.columns ?? 80),
  csv: reportCsv,
  json: reportJson,
};

const when = {
  last: optional({
    description: "the last units before the current one: 30d, 12h, 4w, 6mo, 2q, 1y, 90min",
    schema: text(),
  }),
  includeCurrent: flag("of --last: the current unit, up to now, is one of them"),
  from: optional({ description: "first day, or an instant such as 2026-11-01T10:00Z", schema: text() }),
  to: optional({ description: "last day, included; or an instant, excluded", schema: text() }),
  compare: optional({
    description:
      "what to compare to: previous_period, previous_year, or a range such as 2025-11-01..2025-11-30",
    schema: text(),
  }),
  matchDayOfWeek: flag("of --compare: begin on the same day of the week"),
  cutToNow: flag("of --compare: no more of it than there is of a period that is not over"),
};

const what = {
  metrics: names("what to count, 1 to 20; `footfall metadata` lists them"),
  by: optionalNames("dimensions by which to tell it apart, such as channel or time"),
  granularity: optional({
    description: `length of the buckets of time: ${GRANULARITIES.join(", ")}`,
    schema: choice(GRANULARITIES),
  }),
  filter: optional({
    description: "which events count, such as 'country==DE;page=^/shop/' (docs/filters.md)",
    schema: text(),
  }),
  metricFilter: optional({
    description: "which rows are shown, by the metrics: 'visitors>=10'",
    schema: text(),
  }),
  traffic: {
    description: `whose events count: ${TRAFFICS.join(", ")}`,
    schema: choice(TRAFFICS),
    fallback: "people",
  },
  accuracy: {
    description: `whether distinct counts may be estimated: ${ACCURACIES.join(", ")}`,
    schema: choice(ACCURACIES),
    fallback: "balanced",
  },
  identity: {
    description: `what counts as one visitor: ${IDENTITIES.join(", ")} (all visitor ids of one user_id)`,
    schema: choice(IDENTITIES),
    fallback: "visitor",
  },
  timeZone: optional({
    description: "IANA name of the zone of days and hours; default: the merchant's",
    schema: text(),
  }),
  merchant: optional({
    description: "the merchant; default: the read key's",
    schema: integer(1, 2_147_483_647),
  }),
};

const shown = {
  order: optionalNames("what orders the rows: channel, -visitors (largest first), -visitors:change"),
  limit: optional({ description: "most rows", schema: integer(1, 10_000_000) }),
  top: optional({
    description: "only so many values, by the first metric; all others are one row",
    schema: integer(1, 100),
  }),
  includeEmpty: flag("rows without a value come like others, not last"),
  format: {
    description: `how to print it: ${Object.keys(FORMATS).join(", ")}`,
    schema: choice(["table", "chart", "csv", "json"]),
    fallback: "table",
  },
};

export const report = command({
  name: "report",
  description: "Shows metrics by dimensions over a period.",
  example: "--metrics visitors,revenue --by channel --filter 'country==DE' --last 30d",
  settings: { ...what, ...when, ...shown },
  run: (client, { limit, by = [], order = [], ...question }) =>
    askReport(client, parseQuestion({ ...question, by, order }), limit),
  table: (answer, { format }) => FORMATS[format](answer),
});
