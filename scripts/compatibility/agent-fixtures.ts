import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";

/** A user agent of a fixture file, and what the file says of it. */
export interface Agent {
  readonly file: string;
  readonly text: string;
  /** Neither: an HTTP library, a media player, a feed reader, mail. */
  readonly is: "bot" | "person" | "neither";
  readonly device?: FixtureDevice;
}

/** As device-detector's fixtures have it. */
export interface FixtureDevice {
  readonly type: string;
  readonly os: string | undefined;
  readonly browser: string | undefined;
}

interface DetectorEntry {
  readonly user_agent: string;
  readonly headers?: object;
  readonly bot?: object;
  readonly os?: { readonly name?: string };
  readonly client?: { readonly type?: string; readonly name?: string };
  readonly device?: { readonly type?: string };
}

const FILES_OF_PEOPLE =
  /^(smartphone|phablet|feature_phone|tablet|tv|desktop|console|car_browser|camera|wearable|portable_media_player|smart_display|peripheral)/;

/** matomo-org/device-detector, Tests/fixtures. Entries that are about client hints have no agent of their own. */
export function deviceDetector(folder: string): Agent[] {
  return globSync(join(folder, "Tests/fixtures/*.yml")).flatMap((path) => {
    const file = basename(path, ".yml").replace(/-\d+$/, "");
    if (file !== "bots" && !FILES_OF_PEOPLE.test(file)) return [];
    const entries = readYaml<DetectorEntry[]>(path).filter(({ headers }) => headers === undefined);
    return entries.map((entry) => detectorAgent(`device-detector ${file}`, entry));
  });
}

function detectorAgent(file: string, { user_agent, bot, os, client, device }: DetectorEntry): Agent {
  const text = String(user_agent);
  if (bot !== undefined) return { file, text, is: "bot" };
  const isBrowser = client?.type === undefined || /^(browser|mobile app)$/.test(client.type);
  return {
    file,
    text,
    is: isBrowser ? "person" : "neither",
    device: { type: String(device?.type ?? ""), os: os?.name, browser: client?.name },
  };
}

/** monperrus/crawler-user-agents, crawler-user-agents.json. */
export function crawlerUserAgents(path: string): Agent[] {
  const crawlers = JSON.parse(readFileSync(path, "utf8")) as { readonly instances: readonly string[] }[];
  return crawlers.flatMap(({ instances }) =>
    instances.map((text) => ({ file: "crawler-user-agents", text, is: "bot" as const })),
  );
}

/** omrilotan/isbot, fixtures. */
export function isbotFixtures(folder: string): Agent[] {
  const read = (name: string, is: Agent["is"]) =>
    Object.values(readYaml<Record<string, string[]>>(join(folder, `fixtures/${name}.yml`))).flatMap((texts) =>
      texts.map((text) => ({ file: `isbot ${name}`, text: String(text), is })),
    );
  return [...read("crawlers", "bot"), ...read("browsers", "person")];
}

/** ua-parser/uap-core, tests/test_device.yaml: of its 16,000 those that name an engine, as browsers do, and spiders. */
export function uapCore(folder: string): Agent[] {
  const { test_cases } = readYaml<{ test_cases: { user_agent_string: string; family: string }[] }>(
    join(folder, "tests/test_device.yaml"),
  );
  return test_cases
    .filter(
      ({ user_agent_string: text, family }) =>
        family === "Spider" || /AppleWebKit|Gecko\/|Presto|Trident|MSIE/.test(text),
    )
    .map(({ user_agent_string: text, family }) => ({
      file: "uap-core test_device",
      text,
      is: family === "Spider" ? ("bot" as const) : ("person" as const),
    }));
}

function readYaml<T>(path: string): T {
  return parse(readFileSync(path, "utf8"), { maxAliasCount: -1, uniqueKeys: false }) as T;
}
