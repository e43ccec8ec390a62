import bowser from "bowser";
import { memo } from "../../cache/memo.ts";
import { deriveOnce } from "./spread.ts";
import type { Step } from "./step.ts";

const CAPACITY = 20_000;
const TYPES = ["desktop", "mobile", "tablet", "tv"];

/** Names that bowser has given; of an agent it does not know it repeats the agent's own words. */
const BROWSERS = new Set(Object.values(bowser.BROWSER_MAP));
const SYSTEMS = new Set(Object.values(bowser.OS_MAP));

/** Browser, its major version, OS and device type of a user agent; null where it does not tell. */
export const deviceOf = memo(
  (agent: string): readonly [string | null, string | null, string | null, string] => {
    const { browser, os, platform } = bowser.parse(agent);
    const name = known(BROWSERS, browser.name);
    const version = name === null ? null : (/^\d{1,6}/.exec(browser.version ?? "")?.[0] ?? null);
    const type = TYPES.includes(platform.type ?? "") ? platform.type! : "other";
    return [name, version, known(SYSTEMS, os.name), type];
  },
  CAPACITY,
);

function known(names: ReadonlySet<string>, name: string | undefined): string | null {
  return name !== undefined && names.has(name) ? name : null;
}

/** Browser, browser version, OS and device type, from the user agent. */
export const device: Step = {
  name: "device",
  version: 1,
  run(batch, { device }) {
    deriveOnce(batch, batch.text("userAgent"), device, deviceOf);
  },
};
