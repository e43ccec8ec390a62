import { unescapeField } from "./unescape.ts";

/** What a request line tells; nothing of bytes that are no HTTP, such as a TLS greeting on a plain port. */
export interface RequestLine {
  readonly method: string | undefined;
  /** A path with its query, "*", or an absolute address. */
  readonly target: string | undefined;
  /** Such as "HTTP/1.1". */
  readonly protocol: string | undefined;
}

const NOT_HTTP: RequestLine = { method: undefined, target: undefined, protocol: undefined };

const METHOD = /^[A-Z][A-Z_-]{0,31}$/;
const PROTOCOL = /^HTTP\/\d(?:\.\d)?$/;

/**
 * Cuts up a request line as a server logs it, its escapes not yet undone. Blanks within the target are the client's
 * fault, and part of it. Without a protocol it is HTTP/0.9 (RFC 1945, "Simple-Request").
 */
export function parseRequestLine(text: string): RequestLine {
  const first = text.indexOf(" ");
  const method = text.slice(0, Math.max(0, first));
  if (!METHOD.test(method)) return NOT_HTTP;
  const last = text.lastIndexOf(" ");
  const tail = text.slice(last + 1);
  const isVersioned = PROTOCOL.test(tail);
  const target = text.slice(first + 1, isVersioned ? Math.max(last, first + 1) : undefined).trim();
  if (target === "") return isVersioned ? { method, target: undefined, protocol: tail } : NOT_HTTP;
  if (!isVersioned && !/^(?:\/|https?:\/\/)/i.test(target)) return NOT_HTTP;
  return { method, target: unescapeField(target), protocol: isVersioned ? tail : "HTTP/0.9" };
}
