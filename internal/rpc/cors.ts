import { cors } from "@connectrpc/connect";
import type { Handler } from "./one-port.ts";

/** How long a browser may remember the answer to a preflight, seconds: the most that Chromium allows. */
const MAX_AGE_SECONDS = 7_200;

/** What pages are known to send: Connect's and gRPC-Web's own, tracing libraries' (W3C Trace Context, Baggage, Sentry). */
const ALLOWED_HEADERS = [
  "authorization",
  ...cors.allowedHeaders.map((name) => name.toLowerCase()),
  ..."traceparent tracestate baggage sentry-trace x-requested-with".split(" "),
];
const EXPOSED_HEADERS = ["retry-after-ms", "retry-after", ...cors.exposedHeaders].join(", ");

/** Most further headers that a preflight allows. */
const MOST_ASKED = 100;

/** The name of a header, RFC 9110 section 5.1. */
const NAME = /^[\w!#$%&'*+.^`|~-]{1,128}$/;

/**
 * Lets pages of other origins call a handler from a browser: answers preflights and marks answers, refusals too
 * (Fetch standard, section "CORS protocol"). API keys travel in a header and never in a cookie, so that allowing every
 * origin gives a page nothing that its author does not have. For the same reason a preflight allows whatever
 * headers it asks for: tracing libraries add ones of their own to every request of a page, one that is not allowed
 * would fail the request, and a header that nobody reads is harmless.
 * @param origins "*" or origins such as "https://shop.example"; a page of another one is refused by its browser.
 */
export function withCors(handler: Handler, origins: readonly string[]): Handler {
  const isOpen = origins.includes("*");
  return (request, response) => {
    const { origin } = request.headers;
    response.setHeader("vary", "origin");
    if (origin === undefined || !(isOpen || origins.includes(origin))) {
      handler(request, response);
      return;
    }
    response.setHeader("access-control-allow-origin", isOpen ? "*" : origin);
    response.setHeader("access-control-expose-headers", EXPOSED_HEADERS);
    if (request.method !== "OPTIONS") {
      handler(request, response);
      return;
    }
    const asked = request.headers["access-control-request-headers"];
    response.setHeader("vary", "origin, access-control-request-headers");
    response.setHeader("access-control-allow-methods", cors.allowedMethods.join(", "));
    response.setHeader("access-control-allow-headers", allowedHeaders(asked).join(", "));
    response.setHeader("access-control-max-age", String(MAX_AGE_SECONDS));
    response.statusCode = 204;
    response.end();
  };
}

function allowedHeaders(asked: string | undefined): string[] {
  const names = (asked ?? "").split(",", MOST_ASKED).map((name) => name.trim().toLowerCase());
  return [...new Set([...ALLOWED_HEADERS, ...names.filter((name) => NAME.test(name))])];
}
