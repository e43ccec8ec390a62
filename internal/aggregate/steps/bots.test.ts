import { describe, expect, test } from "vitest";
import { BatchView } from "../../event/batch-view.ts";
import { open } from "../../event/seal.ts";
import { type TestEvent, testBatch } from "../../testkit/batches.ts";
import { testContext } from "../../testkit/step-context.ts";
import { process } from "./process.ts";

function isBot(fields: Partial<TestEvent>): boolean {
  const { sealed, batch } = open(testBatch([{ merchantId: 1, time: 1, ...fields }], { partition: 0 }).bytes);
  return process(new BatchView(sealed!.batchId, batch!), testContext()).isBot[0] === 1;
}

const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const TIED: Partial<TestEvent>[] = [{ visitorId: "v" }, { sessionId: "s" }, { order: { id: "o" } }];

test("a person's browser is none", () => {
  expect(isBot({ userAgent: CHROME })).toBe(false);
});

describe("crawlers and driven browsers are, whatever else the event tells", () => {
  test.each([
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    CHROME.replace("Chrome/", "HeadlessChrome/"),
    `${CHROME} Playwright/1.50`,
    "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/534.34 (KHTML, like Gecko) PhantomJS/1.9.2 Safari/534.34",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
  ])("%s", (userAgent) => {
    for (const tied of [{}, ...TIED]) expect(isBot({ userAgent, ...tied })).toBe(true);
  });
});

describe("no agent, or that of an HTTP library: only where nothing ties the event to a visitor", () => {
  test.each([
    "",
    "curl/8.5.0",
    "python-requests/2.31",
    "Go-http-client/2.0",
    "node",
    "connect-es/2.0",
    "okhttp/4.12",
  ])("%j", (userAgent) => {
    expect(isBot({ userAgent })).toBe(true);
    for (const tied of TIED) expect(isBot({ userAgent, ...tied })).toBe(false);
  });
});
