/** Parameters of one link; further ones are not looked at. */
const MAX_PARAMETERS = 2_000;
/** Longer than the name of any parameter that is looked for, were each of its characters encoded twice. */
const MAX_NAME = 100;
/** More than is stored of a value, were each of its characters encoded twice. */
const MAX_VALUE = 4_096;
/** As often as a value is decoded while that changes it. */
const MAX_DECODINGS = 5;

/**
 * What a link's query and fragment say, the first of each name, names in lower case, values as they were sent. Names are
 * decoded; `&amp;` is `&`, since links are copied out of HTML. A fragment's parameters are those behind its "?", or all
 * of it ("#utm_source=x", "#/path?utm_source=x"); the query's go before them.
 * @param isWanted which names to keep.
 */
export function linkParameters(url: string, isWanted: (name: string) => boolean): Map<string, string> {
  const found = new Map<string, string>();
  const hash = url.indexOf("#");
  const [page, fragment] = hash === -1 ? [url, ""] : [url.slice(0, hash), url.slice(hash + 1)];
  const query = page.indexOf("?");
  if (query !== -1) read(page.slice(query + 1), found, isWanted);
  if (fragment !== "") read(fragment.slice(fragment.indexOf("?") + 1), found, isWanted);
  return found;
}

function read(text: string, found: Map<string, string>, isWanted: (name: string) => boolean): void {
  // A link may have been encoded as a whole: utm_source%3Dx%26utm_medium%3Dy.
  const pairs = (text.includes("=") ? text : percentDecoded(text)).split("&", MAX_PARAMETERS);
  for (const pair of pairs) {
    const equals = pair.indexOf("=");
    // Without "=", or with nothing behind it, there is no value.
    if (equals === -1 || equals === pair.length - 1) continue;
    const name = nameOf(pair.slice(0, equals));
    if (isWanted(name) && !found.has(name)) found.set(name, pair.slice(equals + 1));
  }
}

function nameOf(written: string): string {
  // "amp;utm_medium" and "#38;utm_medium" are what remains of an ampersand that was written as HTML's entity.
  const plain = written.slice(written.lastIndexOf(";") + 1);
  return (plain.length > MAX_NAME ? plain : decoded(plain)).toLowerCase();
}

/** A value as it was meant: "+" is a space, and what was encoded twice or more is decoded as often. */
export function decodedValue(value: string): string {
  return decoded(value.slice(0, MAX_VALUE).replaceAll("+", " "));
}

function decoded(text: string): string {
  let now = text;
  for (let times = 0; times < MAX_DECODINGS && now.includes("%"); times++) {
    const next = percentDecoded(now);
    if (next === now) break;
    now = next;
  }
  return now;
}

/** Leniently, as the URL standard does it: what is no escape stays, what is no UTF-8 becomes U+FFFD. */
function percentDecoded(text: string): string {
  return text.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) =>
    Buffer.from(escapes.replaceAll("%", ""), "hex").toString("utf8"),
  );
}
