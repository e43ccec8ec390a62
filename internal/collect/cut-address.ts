import { cutText, endOf } from "./cut-text.ts";

/** Of more parameters nothing of use would be left. */
const MOST_PARAMETERS = 1_000;

/**
 * The first characters of an address (Unicode code points, up to a limit), of which what is over is cut from its
 * parameters, the longest first: path, short parameters and the names of long ones stay, campaigns and click ids among
 * them. An address whose path alone is too long is cut there.
 */
export function cutAddress(text: string, limit: number): string {
  const start = text.search(/[?#]/);
  if (start === -1 || countOf(text, start) > MOST_PARAMETERS) return cutText(text, limit);
  const parts = text.slice(start).match(/[?#&;]?[^?#&;]*/g) ?? [];
  const room = limit - lengthOf(text.slice(0, start));
  const lengths = parts.map(lengthOf);
  const level = levelOf(lengths, room);
  const cut = parts.map((part, at) => (lengths[at]! > level ? cutParameter(part, level) : part));
  return cutText(text.slice(0, start) + cut.join(""), limit);
}

/** How many parameters there are from a place on. */
function countOf(text: string, from: number): number {
  let count = 0;
  for (let at = from; at < text.length; at++) if (SEPARATORS.has(text.charCodeAt(at))) count++;
  return count;
}

const SEPARATORS: ReadonlySet<number> = new Set([..."?#&;"].map((character) => character.charCodeAt(0)));

/** The most that each part may have so that all of them have room. */
function levelOf(lengths: readonly number[], room: number): number {
  let left = room;
  const sorted = lengths.toSorted((a, b) => a - b);
  for (const [at, length] of sorted.entries()) {
    const level = Math.floor(left / (sorted.length - at));
    if (length > level) return Math.max(0, level);
    left -= length;
  }
  return Number.POSITIVE_INFINITY;
}

/** A parameter's first characters, without an escape of which a part is cut off. */
function cutParameter(part: string, length: number): string {
  return part
    .slice(0, endOf(part, length))
    .replace(/(?:%[c-f][0-9a-f](?:%[89ab][0-9a-f]){0,3})?(?:%[0-9a-f]?)?$/i, "");
}

function lengthOf(text: string): number {
  let surrogatePairs = 0;
  for (let at = 0; at < text.length; at++) if ((text.charCodeAt(at) & 0xfc00) === 0xd800) surrogatePairs++;
  return text.length - surrogatePairs;
}
