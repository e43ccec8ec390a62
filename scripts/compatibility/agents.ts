import { parseArgs } from "node:util";
import { botOf } from "../../internal/aggregate/agents/bot.ts";
import { cutAgent } from "../../internal/aggregate/agents/cut.ts";
import { deviceOf } from "../../internal/aggregate/agents/device.ts";
import { type Agent, crawlerUserAgents, deviceDetector, isbotFixtures, uapCore } from "./agent-fixtures.ts";
import { browserOf, deviceTypeOf, systemOf } from "./agent-names.ts";

// Runs the fixture files of public projects, in folders that are named, through the functions of the aggregator's
// steps, and prints how many agents came out right. The files are read, never kept: device-detector's are LGPL.

const { values } = parseArgs({
  options: {
    "device-detector": { type: "string" },
    "crawler-user-agents": { type: "string" },
    isbot: { type: "string" },
    "uap-core": { type: "string" },
    wrong: { type: "string", default: "0" },
  },
});

const show = Number(values.wrong);

/** Prints a line of the table, and the first of the agents that came out wrong. */
function line(what: string, agents: readonly Agent[], isRight: (agent: Agent) => boolean): void {
  const started = performance.now();
  const wrong = agents.filter((agent) => !isRight(agent));
  const micros = (1_000 * (performance.now() - started)) / Math.max(agents.length, 1);
  const share = (100 * (agents.length - wrong.length)) / Math.max(agents.length, 1);
  process.stdout.write(
    `| ${what} | ${agents.length} | ${wrong.length} | ${share.toFixed(2)} % | ${micros.toFixed(0)} |\n`,
  );
  for (const { text } of wrong.slice(0, show)) process.stdout.write(`    ${text.slice(0, 220)}\n`);
}

const isBot = ({ text }: Agent) => botOf(cutAgent(text)) !== undefined;
const isPerson = (agent: Agent) => !isBot(agent);

function bots(agents: readonly Agent[]): void {
  // A text that another list calls a bot is no evidence of a false positive.
  const called = new Set(agents.filter(({ is }) => is === "bot").map(({ text }) => text));
  for (const [file, own] of Map.groupBy(agents, ({ file }) => file)) {
    const crawlers = own.filter(({ is }) => is === "bot");
    const people = own.filter(({ is, text }) => is === "person" && !called.has(text));
    if (crawlers.length > 0) line(`${file}: bots`, crawlers, isBot);
    if (people.length > 0) line(`${file}: people`, people, isPerson);
  }
}

function devices(agents: readonly Agent[]): void {
  const known = agents.filter(({ device }) => device !== undefined);
  for (const [file, own] of Map.groupBy(known, ({ file }) => file)) {
    line(
      `${file}: type`,
      own,
      ({ text, device }) => deviceOf(cutAgent(text))[3] === deviceTypeOf(device!.type),
    );
  }
  line("all: type", known, ({ text, device }) => deviceOf(cutAgent(text))[3] === deviceTypeOf(device!.type));
  const withSystem = known.filter(({ device }) => systemOf(device!) !== undefined);
  line("all: OS", withSystem, ({ text, device }) =>
    systemOf(device!)!.includes(deviceOf(cutAgent(text))[2] ?? ""),
  );
  const withBrowser = known.filter(({ device }) => browserOf(device!) !== undefined);
  line("all: browser", withBrowser, ({ text, device }) =>
    browserOf(device!)!.includes(deviceOf(cutAgent(text))[0] ?? ""),
  );
}

const agents = [
  ...(values["device-detector"] === undefined ? [] : deviceDetector(values["device-detector"])),
  ...(values["crawler-user-agents"] === undefined ? [] : crawlerUserAgents(values["crawler-user-agents"])),
  ...(values.isbot === undefined ? [] : isbotFixtures(values.isbot)),
  ...(values["uap-core"] === undefined ? [] : uapCore(values["uap-core"])),
];
process.stdout.write("| file | agents | wrong | right | µs an agent |\n|---|---|---|---|---|\n");
bots(agents);
devices(agents);
