import crawlers from "crawler-user-agents";
import { isbot } from "isbot";
import { type BotKind, LEFT_OUT, LIBRARY, NAMED, PROBE, TAG_KINDS } from "./bot-rules.ts";
import { ANDROID_COMMENT, BOT_WORD, DEVICE_SIGN, INNOCENT } from "./hardware.ts";

/** A bot, by its user agent. */
export interface Bot {
  /** As its operator writes it; null where the agent tells none. */
  readonly name: string | null;
  readonly kind: BotKind;
  /** Who runs it; null where that is not known. */
  readonly operator: string | null;
}

/** How much of a name is kept, characters. */
const LONGEST_NAME = 60;

const BY_NAME: ReadonlyMap<string, Bot> = new Map(
  NAMED.flatMap(([kind, operator, ...names]) =>
    names.map((name) => [name.toLowerCase(), { name: name.replace(/[/,].*$/, ""), kind, operator }] as const),
  ),
);

const NAMES = new RegExp(
  `(?<![a-z0-9])(?:${[...BY_NAME.keys()]
    .toSorted((a, b) => b.length - a.length)
    .map((name) => RegExp.escape(name))
    .join("|")})`,
  "i",
);

/** What the package's own types leave out. */
interface Crawler {
  readonly pattern: string;
  readonly tags?: readonly string[];
}

const LISTED = (crawlers as readonly Crawler[])
  .filter(({ pattern }) => !LEFT_OUT.has(pattern))
  .map(({ pattern, tags = [] }) => ({
    pattern: new RegExp(pattern),
    kind: TAG_KINDS.find(([tag]) => tags.includes(tag))?.[1] ?? ("other" as const),
  }));
const ANY_LISTED = new RegExp(LISTED.map(({ pattern }) => pattern.source).join("|"));

/**
 * The bot that an agent is of; undefined for a person's browser. What names a device is taken out first (a phone
 * may be called "M bot 54"). Then names that are known decide; and then isbot's guess, which of an agent that looks
 * like a device's is heeded only where a word such as "bot" or "spider" agrees.
 *
 * @param agent at most some 1,000 characters: hostile ones cost by their length.
 */
export function botOf(agent: string): Bot | undefined {
  const said = agent.replace(INNOCENT, "");
  const found = named(said);
  if (found !== undefined) return found;
  const library = LIBRARY.exec(said)?.[0];
  if (library !== undefined) return { name: library, kind: "library", operator: null };
  const rest = said.replace(ANDROID_COMMENT, "(Linux; Android)");
  return listed(rest) ?? guessed(rest);
}

function named(agent: string): Bot | undefined {
  const name = NAMES.exec(agent)?.[0];
  return name === undefined ? undefined : BY_NAME.get(name.toLowerCase());
}

function listed(agent: string): Bot | undefined {
  if (!ANY_LISTED.test(agent)) return undefined;
  for (const { pattern, kind } of LISTED) {
    const found = pattern.exec(agent)?.[0];
    if (found !== undefined) return { name: nameFrom(found), kind, operator: null };
  }
  return undefined;
}

/** The name that an agent begins with, or says that it is "compatible" under. */
const PRODUCT = /(?:^(?!Mozilla)|\(compatible; ?)([\w.-]{1,60})/i;

function guessed(agent: string): Bot | undefined {
  if (PROBE.test(agent)) return { name: null, kind: "security", operator: null };
  if (!isbot(agent)) return undefined;
  if (DEVICE_SIGN.test(agent) && !BOT_WORD.test(agent)) return undefined;
  const words = agent.replace(/https?:\/\/\S*/gi, "");
  const name = BOT_WORD.exec(words)?.[0] ?? PRODUCT.exec(words)?.[1] ?? "";
  return { name: nameFrom(name), kind: "other", operator: null };
}

/** A name without the punctuation around it; null where nothing is left. */
function nameFrom(found: string): string | null {
  const name = found.slice(0, LONGEST_NAME).replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}!+]+$/gu, "");
  return name === "" ? null : name;
}
