import { askReport } from "../../internal/client/ask/ask.ts";
import { parseQuestion } from "../../internal/client/ask/parse-question.ts";
import type { Report } from "../../internal/client/report.ts";
import { reportChart } from "../../internal/client/show/chart.ts";
import { reportCsv } from "../../internal/client/show/csv.ts";
import { reportJson } from "../../internal/client/show/json.ts";
import { reportTable } from "../../internal/client/show/table.ts";
import { choice, flag, integer, optional, text } from "../../internal/config/setting.ts";
import { command, names, optionalNames } from "./command.ts";
import { scope, when } from "./scope.ts";

const FORMATS = {
  table: reportTable,
  chart: (report: Report) => reportChart(report, process.stdout.columns ?? 80),
  csv: reportCsv,
  json: reportJson,
};

const what = {
  metrics: names("what to count, 1 to 20; `footfall metadata` lists them"),
  by: optionalNames("dimensions by which to tell it apart, such as channel or time"),
  metricFilter: optional({
    description: "which rows are shown, by the metrics: 'visitors>=10'",
    schema: text(),
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
  settings: { ...what, ...scope, ...when, ...shown },
  run: (client, { limit, by = [], order = [], ...question }) =>
    askReport(client, parseQuestion({ ...question, by, order }), limit),
  table: (answer, { format }) => FORMATS[format](answer),
});
