import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sharedData } from "../../testkit/shared-data.ts";
import { redact } from "./redact.ts";

const SHOP = "https://shop.example/";

test.each([
  ["?email=ann%40example.com&page=2", "?email=(redacted)&page=2"],
  ["?a=1&PHONE=0049-30-1", "?a=1&PHONE=(redacted)"],
  [
    "?name=Ann&first_name=Ann&lastName=Lee&user-name=ann",
    "?name=(redacted)&first_name=(redacted)&lastName=(redacted)&user-name=(redacted)",
  ],
  [
    "?access_token=abc&id_token=d&token=e&reset-token=f",
    "?access_token=(redacted)&id_token=(redacted)&token=(redacted)&reset-token=(redacted)",
  ],
  [
    "?password=x&pwd=y&billing%5Bemail%5D=z&user[password]=q",
    "?password=(redacted)&pwd=(redacted)&billing%5Bemail%5D=(redacted)&user[password]=(redacted)",
  ],
  ["?q=mail%20to%20ann@example.com+please", "?q=(redacted)+please"],
  ["unsubscribe/ann.lee%40mail.example.co.uk/now", "unsubscribe/(redacted)/now"],
  ["cb#access_token=abc&state=1", "cb#access_token=(redacted)&state=1"],
  ["?x=1;email=a", "?x=1;email=(redacted)"],
])("%s is cleaned", (given, clean) => {
  expect(redact(SHOP + given)).toBe(SHOP + clean);
});

test("user and password before the host are left out", () => {
  expect(redact("https://ann:secret@shop.example/?a=1")).toBe("https://shop.example/?a=1");
  expect(redact("android-app://x@com.example.app/")).toBe("android-app://com.example.app/");
});

test.each([
  SHOP,
  `${SHOP}?utm_source=news&utm_medium=email&utm_campaign=spring&gclid=Cj0K&code=SPRING10&id=7`,
  `${SHOP}@ann/photos?email=&name=#top`,
  `${SHOP}maps/@52.5,13.4,15z?size=2@3`,
  `${SHOP}?product_name_id=3&filename=x&keyword=y&monkey=z&%E0%A4%A=1`,
  "free text, not an address",
])("%s stays as it is", (text) => {
  expect(redact(text)).toBe(text);
});

test("cleaning twice is cleaning once, and the address stays one", () => {
  const part = fc.oneof(
    fc.constantFrom("email", "a@b.example", "a%40b.example", "=", "&", "?", "#", "/", "@", "token", "%", "x"),
    fc.string({ maxLength: 5 }),
  );
  const texts = fc.array(part, { maxLength: 12 }).map((parts) => SHOP + parts.join(""));
  fc.assert(
    fc.property(texts, (text) => {
      const once = redact(text);
      expect(redact(once)).toBe(once);
      if (URL.canParse(text)) expect(URL.canParse(once)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test("no text makes it slow", () => {
  const started = performance.now();
  for (const unit of ["a", "a@", "%40", "a.", "?a=", "@a.", "a@a."]) redact(`${SHOP}?@${unit.repeat(4_000)}`);
  expect(performance.now() - started).toBeLessThan(1_000);
});

const LOG = sharedData("access.log");

test.skipIf(LOG === undefined)("of the real log's addresses those with a session id are touched", () => {
  const lines = readFileSync(LOG!, "utf8").split("\n");
  const texts = lines.flatMap((line) => [
    /"[A-Z]+ (\S+) HTTP/.exec(line)?.[1],
    /" \d+ \S+ "([^"]*)"/.exec(line)?.[1],
  ]);
  const touched = new Set(texts.filter((text) => text !== undefined && redact(text) !== text));
  // awk -F'"' '{ print $2; print $4 }' access.log | grep -oE '\S*[?&]sid=\S*' | sort -u | wc -l
  expect(touched.size).toBe(5);
  for (const text of touched) expect(text).toMatch(/[?&]sid=[0-9a-f]{32}/);
});
