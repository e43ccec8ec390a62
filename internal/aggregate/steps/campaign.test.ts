import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leastCpuMs } from "../../../test/kit/cpu-time.ts";
import { type Campaign, campaignOf } from "./campaign.ts";

const SHOP = "https://shop.example/page";

/** What a link says, without the fields that are null. */
function said(link: string): Partial<Campaign> | undefined {
  const found = campaignOf(`${SHOP}${link}`);
  return found && Object.fromEntries(Object.entries(found).filter(([, value]) => value !== null));
}

describe("where parameters stand, and how they are written", () => {
  /** Names are decoded as values are: https://url.spec.whatwg.org/#urlencoded-parsing */
  test.each([
    "?utm_source=a&utm_medium=b",
    "?x=1&utm_source=a&utm_medium=b#top",
    "?UTM_SOURCE=A&Utm_Medium=B",
    "?utm%5Fsource=a&utm%5fmedium=b",
    "?utm%255Fsource=a&utm%255Fmedium=b",
    "?%75tm_source=a&%75tm_medium=b",
    "?utm_source=a&amp;utm_medium=b",
    "?utm_source=a&amp;amp;utm_medium=b",
    "?utm_source=a&#38;utm_medium=b",
    "?utm_source%3Da%26utm_medium%3Db",
    "#utm_source=a&utm_medium=b",
    "#?utm_source=a&utm_medium=b",
    "#/path?utm_source=a&utm_medium=b",
    "#!/path?x=1&utm_source=a&utm_medium=b",
    "?x=1#utm_source=a&utm_medium=b",
    "?utm_source=a#utm_source=c&utm_medium=b",
    "?utm_source=&utm_medium=b&mtm_source=a",
    "?mtm_source=a&mtm_medium=b",
    "?pk_source=a&pk_medium=b&mtm_source=",
    "?utm_source=a&utm_source=c&utm_medium=b",
    "?utm_source=+a+&utm_medium=%20b",
  ])("%s", (link) => {
    expect(said(link)).toEqual({ source: "a", medium: "b" });
  });

  test.each([
    "",
    "?",
    "#",
    "?utm_source",
    "?utm_source=",
    "?myutm_source=a",
    "?ref=a&source=b",
    "/utm_source=a",
  ])("%s says nothing", (link) => {
    expect(said(link)).toBeUndefined();
  });
});

test.each([
  ["Spring+Sale", "Spring Sale"],
  ["Spring%20Sale", "Spring Sale"],
  ["Spring%2520Sale", "Spring Sale"],
  ["Spring%252520Sale", "Spring Sale"],
  ["1%2B1", "1+1"],
  ["S%C3%BC%C3%9F", "Süß"],
  ["S%25C3%25BC%25C3%259F", "Süß"],
  ["100%25", "100%"],
  ["50%+off", "50% off"],
  ["%E9t%E9", "\ufffdt\ufffd"],
  ["a%00b", "ab"],
  [`${"x".repeat(255)}%F0%9F%9B%92`, "x".repeat(255)],
])("value %s is %s", (written, meant) => {
  expect(said(`?utm_campaign=${written}`)?.campaign).toBe(meant);
});

/** As the ad systems' documentation writes them. */
test.each([
  ...[
    "{{campaign.name}}",
    "{{site_source_name}}",
    "{{ ad.name }}",
    "{{CAMPAIGN_NAME}}",
    "{{placement}}_{{ad.id}}",
  ],
  ...[
    "{campaignid}",
    "{keyword:default}",
    "__CAMPAIGN_NAME__",
    "%%SITE%%",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what the ad system writes.
    "${SITE}",
    "*|CAMPAIGN|*",
    "[CAMPAIGN_ID]",
  ],
])("the placeholder %s was not filled", (placeholder) => {
  for (const written of [
    placeholder,
    encodeURIComponent(placeholder),
    encodeURIComponent(encodeURIComponent(placeholder)),
  ]) {
    const link = `?utm_source=${written.replaceAll("%%", "%25%25")}&utm_medium=paid&fbclid=1`;
    expect(said(link)).toEqual({ medium: "paid", clickId: "fbclid" });
  }
});

test("of a value with more than a placeholder the rest stays; braces of people stay", () => {
  expect(said("?utm_campaign={{campaign.name}}_summer")?.campaign).toBe("summer");
  expect(said("?utm_campaign=[EU] Spring {2}")?.campaign).toBe("[EU] Spring {2}");
  expect(said("?utm_campaign=[sale]")?.campaign).toBe("[sale]");
  expect(said("?utm_campaign=__sale__")?.campaign).toBe("__sale__");
});

test("of several click ids the strongest counts", () => {
  expect(said("?fbclid=1&gclid=2")).toEqual({ clickId: "gclid" });
  expect(said("?fbclid=1&ttclid=2")).toEqual({ clickId: "ttclid" });
  expect(said("#gclid=2")).toEqual({ clickId: "gclid" });
  expect(said("?gclid={gclid}&fbclid=1")).toEqual({ clickId: "fbclid" });
});

test("parameters come back as they were written by the platform, encoded once or thrice", () => {
  const word = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
    .filter((text) => !/[%{}+\0]/.test(text));
  fc.assert(
    fc.property(word, word, fc.integer({ min: 0, max: 2 }), (campaign, term, times) => {
      let [a, b] = [campaign, term];
      for (let i = 0; i < times; i++) [a, b] = [encodeURIComponent(a), encodeURIComponent(b)];
      const query = new URLSearchParams([
        ["utm_campaign", a],
        ["utm_term", b],
        ["gclid", "1"],
      ]);
      const found = campaignOf(`${SHOP}?${query}`)!;
      const plain = (text: string) =>
        /^(__[A-Z0-9_]+__|\[[A-Z0-9_]+\])$/.test(text.trim()) ? null : text.trim() || null;
      expect([found.campaign, found.term]).toEqual([plain(campaign), plain(term)]);
    }),
  );
});

/** No request may hold the event loop longer than 20 ms; the collector lets no url through as long as these. */
test.each([
  ["a query of 100 KB", `?utm_source=${"x".repeat(100_000)}`],
  ["its escapes", `?utm_source=${"%25".repeat(33_000)}41`],
  ["thousands of parameters", `?${"&a=1".repeat(25_000)}&utm_source=x`],
  ["thousands of names without values", `?${"utm_source&".repeat(9_000)}utm_source=x`],
  ["signs only", `?${"?".repeat(50_000)}${"&;".repeat(25_000)}%`],
  ["braces only", `?utm_source=${"{".repeat(100_000)}`],
  ["fragments", "#utm_source=%7B%7B".repeat(6_000)],
  ["separators only", `?utm_source=x&utm_campaign=%7B%7Bx%7D%7D${"_".repeat(100_000)}`],
])("%s cost little", (_, link) => {
  expect(leastCpuMs(() => campaignOf(`${SHOP}${link}`))).toBeLessThan(20);
});
