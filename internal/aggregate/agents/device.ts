import bowser from "bowser";
import { BROWSERS, OTHERS, PHONES, SYSTEMS, SYSTEMS_AT_LAST, TABLETS, TELEVISIONS } from "./device-rules.ts";

/** Names that bowser has given; of an agent it does not know it repeats the agent's own words. */
const KNOWN_BROWSERS = new Set(Object.values(bowser.BROWSER_MAP));
const KNOWN_SYSTEMS = new Set(Object.values(bowser.OS_MAP));

/** Columns of a device, in the order of DEVICE_COLUMNS: null where the agent does not tell. */
export type Device = readonly [
  browser: string | null,
  version: string | null,
  os: string | null,
  type: string,
  osVersion: string | null,
];

/** Browser, its major version, OS, its version and device type of a user agent. @param agent at most some 1,000 characters. */
export function deviceOf(agent: string): Device {
  // Parses only what it is asked for: the rules above answer for most agents, and cost less.
  const parser = bowser.getParser(agent, true);
  const os =
    firstOf(SYSTEMS, agent)?.name ??
    known(KNOWN_SYSTEMS, parser.getOSName()) ??
    firstOf(SYSTEMS_AT_LAST, agent)?.name ??
    null;
  const own = firstOf(BROWSERS, agent);
  const browser = own?.name ?? known(KNOWN_BROWSERS, parser.getBrowserName());
  const version = browser === null ? null : major(own?.rest ?? parser.getBrowserVersion());
  const type = typeOf(agent, os) ?? known(TYPES, parser.getPlatformType()) ?? bySystem(os);
  return [browser, version, os, type, systemVersion(agent, os)];
}

/** Where agents tell the version of a system; all patterns are linear. The others' say none, or one that stands still. */
const SYSTEM_VERSIONS: Readonly<Record<string, RegExp>> = {
  Android: /Android[ /](\d{1,3}(?:\.\d{1,3})?)/i,
  iOS: /(?:OS|iOS)[ /](\d{1,3}(?:[._]\d{1,3})?)/,
  macOS: /Mac ?OS ?X[ /](\d{1,3}(?:[._]\d{1,3})?)/i,
  Windows: /Windows NT (\d{1,3}(?:\.\d{1,3})?)/i,
  "Windows Phone": /Windows Phone(?: OS)? (\d{1,3}(?:\.\d{1,3})?)/i,
  Tizen: /Tizen[ /](\d{1,3}(?:\.\d{1,3})?)/i,
  KaiOS: /KAIOS\/(\d{1,3}(?:\.\d{1,3})?)/i,
};

/** Windows by the names that people know, https://learn.microsoft.com/windows/win32/sysinfo/operating-system-version. */
const WINDOWS: Readonly<Record<string, string>> = {
  "10.0": "10",
  "6.3": "8.1",
  "6.2": "8",
  "6.1": "7",
  "6.0": "Vista",
  "5.2": "XP",
  "5.1": "XP",
};

/** Major and minor version as the agent tells them: 17.5. Windows 11 says 10, and macOS since 11 says 10.15. */
function systemVersion(agent: string, os: string | null): string | null {
  const found = SYSTEM_VERSIONS[os ?? ""]?.exec(agent)?.[1]?.replace("_", ".");
  if (found === undefined) return null;
  return os === "Windows" ? (WINDOWS[found] ?? found) : found;
}

/** The type where the rules know it. */
function typeOf(agent: string, os: string | null): string | undefined {
  if (OTHERS.test(agent)) return "other";
  if (TELEVISIONS.test(agent)) return "tv";
  if (os === "Chrome OS") return "desktop";
  if (os !== "KaiOS" && TABLETS.test(agent)) return "tablet";
  if (PHONES.test(agent)) return "mobile";
  if (/Android/i.test(agent)) return isPhone(agent) ? "mobile" : "tablet";
  return undefined;
}

const TYPES = new Set(["desktop", "mobile", "tablet", "tv"]);

function bySystem(os: string | null): string {
  if (os === "iOS" || os === "Android") return "mobile";
  return os === "macOS" || os === "Windows" || os === "Linux" ? "desktop" : "other";
}

/**
 * Browsers say Mobile on Android's phones and not on its tablets. What is no browser (Dalvik, apps) says it nowhere;
 * Huawei's browser says it on some phones only, whose models end unlike the tablets'.
 */
function isPhone(agent: string): boolean {
  return (
    /Mobile/i.test(agent) || !/Safari|Gecko\//i.test(agent) || /-(?:A[LN]|T[LN])[0-9]0|-[LN]X\d/i.test(agent)
  );
}

function firstOf(rules: readonly (readonly [string, RegExp])[], agent: string) {
  for (const [name, pattern] of rules) {
    const found = pattern.exec(agent);
    if (found !== null) return { name, rest: agent.slice(found.index + found[0].length) };
  }
  return undefined;
}

function major(version: string | undefined): string | null {
  return /^\D{0,2}(\d{1,5})(?!\d)/.exec(version ?? "")?.[1] ?? null;
}

function known(names: ReadonlySet<string>, name: string | undefined): string | null {
  return name !== undefined && names.has(name) ? name : null;
}
