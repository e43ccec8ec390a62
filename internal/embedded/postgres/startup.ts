import { FramingError } from "./framing.ts";
import { cstring } from "./statements.ts";

const PROTOCOL_3 = 3;
const SSL_REQUEST = 80877103;
const GSSENC_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;

/** What a client may send before it has a session. */
export type Startup =
  | { kind: "encryption" }
  | { kind: "cancel" }
  | { kind: "startup"; settings: Map<string, string>; minor: number; unknownOptions: string[] };

/** Parameters of the startup packet that are no settings. Any user and database name is the same database. */
const NOT_SETTINGS = new Set(["user", "database", "options"]);

/**
 * Reads the body of a startup-like packet. Throws FramingError for anything else than SSLRequest,
 * GSSENCRequest, CancelRequest and protocol 3.x, and for replication connections.
 */
export function readStartup(body: Buffer): Startup {
  const code = body.readUInt32BE(0);
  if (code === SSL_REQUEST || code === GSSENC_REQUEST) return { kind: "encryption" };
  if (code === CANCEL_REQUEST) return { kind: "cancel" };
  if (code >>> 16 !== PROTOCOL_3) {
    throw new FramingError(
      `unsupported frontend protocol ${code >>> 16}.${code & 0xffff}: only 3.x is served`,
    );
  }
  const settings = new Map<string, string>();
  const unknownOptions: string[] = [];
  for (const [name, value] of parameters(body)) {
    if (name === "replication") throw new FramingError("replication connections are not served");
    if (name.startsWith("_pq_.")) unknownOptions.push(name);
    else if (name === "options") for (const [key, set] of commandLine(value)) settings.set(key, set);
    else if (!NOT_SETTINGS.has(name)) settings.set(name, value);
  }
  return { kind: "startup", settings, minor: code & 0xffff, unknownOptions };
}

function* parameters(body: Buffer): Generator<[string, string]> {
  for (let at = 4; at < body.length && body[at] !== 0; ) {
    const name = cstring(body, at);
    const value = cstring(body, name.end);
    yield [name.text, value.text];
    at = value.end;
  }
}

/** Settings in `-c name=value` or `--name=value` form; a backslash keeps a space inside a value. */
function* commandLine(options: string): Generator<[string, string]> {
  const words = (options.match(/(?:\\.|[^\s\\])+/g) ?? []).map((word) => word.replace(/\\(.)/g, "$1"));
  for (let i = 0; i < words.length; i++) {
    let word = words[i]!;
    if (word === "-c") word = words[++i] ?? "";
    else word = word.replace(/^-c|^--/, "");
    const equals = word.indexOf("=");
    if (equals < 1) throw new FramingError(`invalid command-line option for a connection: ${word}`);
    yield [word.slice(0, equals).replaceAll("-", "_"), word.slice(equals + 1)];
  }
}
