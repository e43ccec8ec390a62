import { askFunnel } from "../../internal/client/ask/ask.ts";
import { ORDERS, parseFunnel } from "../../internal/client/ask/parse-question.ts";
import { reportCsv } from "../../internal/client/show/csv.ts";
import { funnelJson } from "../../internal/client/show/json.ts";
import { funnelTable } from "../../internal/client/show/table.ts";
import { choice, integer, optional, text } from "../../internal/config/setting.ts";
import { command } from "./command.ts";
import { scope, when } from "./scope.ts";

const FORMATS = { table: funnelTable, csv: reportCsv, json: funnelJson };

const what = {
  steps: {
    description:
      'filters of 2 to 20 steps, parted by " -> "; `optional` or `without` (who does this in between is out) before one',
    schema: text(),
  },
  order: {
    description: `in what order steps are done: ${ORDERS.join(", ")}`,
    schema: choice(ORDERS),
    fallback: "in_order",
  },
  window: optional({
    description: "from the first step to the last: 30min, 7d; default: one session",
    schema: text(),
  }),
  by: optional({
    description: "a dimension of the event that the funnel is entered with, such as channel",
    schema: text(),
  }),
  top: optional({ description: "of --by: so many values; default: 5", schema: integer(1, 100) }),
  format: {
    description: `how to print it: ${Object.keys(FORMATS).join(", ")}`,
    schema: choice(["table", "csv", "json"]),
    fallback: "table",
  },
};

export const funnel = command({
  name: "funnel",
  description: "Shows how far visitors come on a way of steps.",
  example:
    "--steps 'event_name==view_item -> event_name==add_to_cart -> event_name==purchase' --by channel --last 30d",
  settings: { ...what, ...scope, ...when },
  run: (client, question) => askFunnel(client, parseFunnel(question)),
  table: (answer, { format }) => FORMATS[format](answer),
});
