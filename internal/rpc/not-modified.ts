import type { UniversalServerResponse } from "@connectrpc/connect/protocol";

/** What of a request tells whether its answer is known to the client. */
interface Asking {
  readonly method: string;
  readonly header: Headers;
}

/**
 * Whether a GET's If-None-Match names an ETag: its answer is then a 304, and need not be made.
 * Weak comparison, RFC 9110 section 13.1.2.
 */
export function knows({ method, header }: Asking, etag: string): boolean {
  const names = header.get("if-none-match");
  if (method !== "GET" || names === null) return false;
  const opaque = (tag: string) => tag.trim().replace(/^W\//, "");
  return names.trim() === "*" || names.split(",").some((name) => opaque(name) === opaque(etag));
}

/** The answer, or a 304 without a body where the client knows it by its ETag (RFC 9110 section 15.4.5). */
export function notModified(request: Asking, answer: UniversalServerResponse): UniversalServerResponse {
  const etag = answer.header?.get("etag") ?? undefined;
  if (etag === undefined || answer.status !== 200 || !knows(request, etag)) return answer;
  const header = new Headers({ etag });
  const caching = answer.header?.get("cache-control") ?? undefined;
  if (caching !== undefined) header.set("cache-control", caching);
  return { status: 304, header };
}
