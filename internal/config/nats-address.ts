import { z } from "zod";

/** Where NATS is, and how one logs in there. */
export interface NatsAddress {
  /** host:port of each server. */
  readonly servers: readonly string[];
  /** A token is a user without a password. */
  readonly login: { readonly user: string; readonly password: string | undefined } | undefined;
  /** Whether any is tls://: then no server is spoken to in the clear. */
  readonly tls: boolean;
}

const DEFAULT_PORT = 4_222;

/**
 * Reads nats://user:password@host:port, nats://token@host or tls://host; several are parted by commas and have the
 * same user. What is special in an address is written as %XX.
 * @throws Error with what is wrong, which repeats nothing of the text.
 */
export function parseNatsAddress(text: string): NatsAddress {
  const urls = text.split(",").map((part) => parseUrl(part.trim()));
  const logins = urls.filter(({ username }) => username !== "").map(loginOf);
  const [login] = logins;
  if (logins.some((one) => one.user !== login?.user || one.password !== login.password)) {
    throw new Error("names several users: all servers are of one cluster, and have the same");
  }
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port || DEFAULT_PORT}`),
    login,
    tls: urls.some(({ protocol }) => protocol === "tls:"),
  };
}

function parseUrl(part: string): URL {
  const url = URL.canParse(part) ? new URL(part) : undefined;
  const isAddress = url && /^(nats|tls):$/.test(url.protocol) && url.hostname !== "";
  if (!isAddress || url.search || url.hash || url.pathname.length > 1) {
    throw new Error(
      "is not an address such as nats://user:password@host:4222 (%XX for what is special in it)",
    );
  }
  return url;
}

function loginOf({ username, password }: URL) {
  try {
    return {
      user: decodeURIComponent(username),
      password: password === "" ? undefined : decodeURIComponent(password),
    };
  } catch {
    throw new Error("has a % in its user or password that no two hexadecimal digits follow; % itself is %25");
  }
}

/** The text of such an address. */
export const natsAddress = () =>
  z.string().superRefine((text, context) => {
    try {
      parseNatsAddress(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
    }
  });
