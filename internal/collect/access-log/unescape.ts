const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|([\\"nrtbvf]))/g;

const SHORT: Readonly<Record<string, number>> = {
  "\\": 0x5c,
  '"': 0x22,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  b: 0x08,
  v: 0x0b,
  f: 0x0c,
};

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Undoes the escapes with which Apache (`\"`, `\\`, `\n`, `\xe4`) and nginx (`\x22`) keep a field on one line.
 *
 * The escaped bytes are what the client sent. Where they are not UTF-8, or hold control characters (which no
 * text column takes), the field stays as it is written in the log: so nothing is lost or made up.
 */
export function unescapeField(field: string): string {
  if (!field.includes("\\")) return field;
  const pieces: Uint8Array[] = [];
  let end = 0;
  for (const match of field.matchAll(ESCAPE)) {
    pieces.push(Buffer.from(field.slice(end, match.index)));
    pieces.push(Uint8Array.of(match[1] === undefined ? SHORT[match[2]!]! : Number.parseInt(match[1], 16)));
    end = match.index + match[0].length;
  }
  pieces.push(Buffer.from(field.slice(end)));
  const text = decode(Buffer.concat(pieces));
  return text === undefined || CONTROL.test(text) ? field : text;
}

const CONTROL = /\p{Cc}/u;

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
