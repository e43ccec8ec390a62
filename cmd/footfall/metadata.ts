import { askFields } from "../../internal/client/ask/ask.ts";
import { metadataCsv, metadataJson, metadataTable } from "../../internal/client/show/metadata.ts";
import { choice } from "../../internal/config/setting.ts";
import { command, optionalNames } from "./command.ts";

const FORMATS = { table: metadataTable, csv: metadataCsv, json: metadataJson };

export const metadata = command({
  name: "metadata",
  description: "Lists the metrics and dimensions that can be asked for, and which go together.",
  example: "--metrics item_revenue",
  settings: {
    metrics: optionalNames("metrics that a question has: what does not go with them is told"),
    by: optionalNames("dimensions that a question has"),
    format: {
      description: `how to print it: ${Object.keys(FORMATS).join(", ")}`,
      schema: choice(["table", "csv", "json"]),
      fallback: "table",
    },
  },
  run: (client, { metrics = [], by = [] }) => askFields(client, metrics, by),
  table: (answer, { format }) => FORMATS[format](answer),
});
