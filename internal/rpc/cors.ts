import { cors } from "@connectrpc/connect";
import type { Handler } from "./one-port.ts";

/** How long a browser may remember the answer to a preflight, seconds: the most that Chromium allows. */
const MAX_AGE_SECONDS = 7_200;

const ALLOWED_HEADERS = ["authorization", ...cors.allowedHeaders].join(", ");
const EXPOSED_HEADERS = ["retry-after-ms", "retry-after", ...cors.exposedHeaders].join(", ");

/**
 * Lets pages of other origins call a handler from a browser: answers preflights and marks answers (Fetch
 * standard, section "CORS protocol"). Keys travel in a header and never in a cookie, so that allowing every
 * origin gives a page nothing that its author does not have.
 * @param origins "*" or origins such as "https://shop.example"; a page of another one is refused by its browser.
 */
export function withCors(handler: Handler, origins: readonly string[]): Handler {
  return (request, response) => {
    const { origin } = request.headers;
    if (origin === undefined || !(origins.includes("*") || origins.includes(origin))) {
      handler(request, response);
      return;
    }
    response.setHeader("access-control-allow-origin", origins.includes("*") ? "*" : origin);
    response.setHeader("vary", "origin");
    response.setHeader("access-control-expose-headers", EXPOSED_HEADERS);
    if (request.method !== "OPTIONS") {
      handler(request, response);
      return;
    }
    response.setHeader("access-control-allow-methods", cors.allowedMethods.join(", "));
    response.setHeader("access-control-allow-headers", ALLOWED_HEADERS);
    response.setHeader("access-control-max-age", String(MAX_AGE_SECONDS));
    response.statusCode = 204;
    response.end();
  };
}
