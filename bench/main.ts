import { Command, Option } from "commander";
import { aggregate } from "./aggregate.ts";
import { codec } from "./codec.ts";
import { collect } from "./collect.ts";
import { connections } from "./connections.ts";
import { ingest } from "./ingest.ts";
import { late } from "./late.ts";
import { type Bench, machine, short } from "./lib/result.ts";
import { memory } from "./memory.ts";
import { pipeline } from "./pipeline.ts";
import { PARTS, type Part } from "./query/part.ts";
import { query } from "./query.ts";
import { scaling } from "./scaling.ts";
import { storage } from "./storage.ts";

const BENCHES: Readonly<Record<string, Bench>> = {
  codec,
  ingest,
  collect,
  connections,
  aggregate,
  pipeline,
  late,
  memory,
  scaling,
  storage,
  query,
};

const command = new Command("bench")
  .description("Measures a part of Footfall against a peer or a limit in the same run.")
  .argument("<name>", `one of ${Object.keys(BENCHES).join(", ")}`)
  .option("--seconds <n>", "how long to measure", "10")
  .option(
    "--events <n>",
    "storage, query: how many events are loaded (default: 1M embedded, 10M with DATABASE_URL); late: how many come late (50,000; 1M)",
  )
  .option("--merchants <n>", "storage, query: how many merchants they are of (default: 10,000)")
  .option("--days <n>", "storage, query: how many days they are spread over (default: 365; query: 30)")
  .option(
    "--chunk-days <n>",
    "storage, query: how many days a chunk of events spans (default: 7, or 1 from 10M a week on)",
  )
  .option("--views <n>", "query: how many page views the one site has (default: 1M)")
  .addOption(new Option("--parts <names...>", "query: which parts are run (default: all)").choices(PARTS))
  .option(
    "--keep <name>",
    "storage, query: keeps what is loaded as a database of this name on DATABASE_URL's server; the site of query as NAME_site",
  )
  .option("--loaded <name>", "storage, query: measures a database that was kept, and loads nothing")
  .option("--json", "print the result as one JSON object in the last line")
  .parse();

const [name = ""] = command.args;
const { seconds, events, merchants, days, chunkDays, views, parts, keep, loaded, json } = command.opts<{
  seconds: string;
  events?: string;
  merchants?: string;
  days?: string;
  chunkDays?: string;
  views?: string;
  parts?: Part[];
  keep?: string;
  loaded?: string;
  json?: boolean;
}>();
const bench = BENCHES[name];
if (bench === undefined)
  throw command.error(`no benchmark ${JSON.stringify(name)}; there are ${Object.keys(BENCHES).join(", ")}`);

const say = (text: string): void => void process.stdout.write(`${text}\n`);
say(machine());
const optional = (text: string | undefined) => (text === undefined ? undefined : Number(text));
const result = await bench({
  seconds: Number(seconds),
  events: optional(events),
  merchants: optional(merchants),
  days: optional(days),
  chunkDays: optional(chunkDays),
  views: optional(views),
  parts,
  keep,
  loaded,
  say,
});
say(
  `${result.bench}: ${short(result.figure)} ${result.unit}, ${result.ratio.toFixed(2)} of ${result.against}`,
);
if (json) say(JSON.stringify(result));
process.exit(0);
