import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";
import { hostNames } from "./host-names.ts";

const read = (text: string) => hostNames().safeParse(text);

test.each([
  ["", []],
  [" , ", []],
  ["shop.example", ["shop.example"]],
  ["Shop.Example,MÜLLER.example., shop.example", ["shop.example", "xn--mller-kva.example"]],
  ["a_b.shop-1.example.co.uk", ["a_b.shop-1.example.co.uk"]],
  // IANA's test domain, and its ASCII form.
  ["пример.испытание", ["xn--e1afmkfd.xn--80akhbyknj4f"]],
])("%j is %j", (text, names) => {
  expect(read(text)).toMatchObject({ success: true, data: names });
});

test.each([
  "https://shop.example",
  "shop.example/path",
  "shop.example?x",
  "me@shop.example",
  "shop.example:443",
  "*.shop.example",
  "127.0.0.1",
  "0x7f.1",
  "[::1]",
  "shop",
  "shop..example",
  "-shop.example",
  "sho p.example",
  "shop%2eexample",
  `${"a".repeat(64)}.example`,
  `${"a.".repeat(127)}example`,
])("%s is no host name", (name) => {
  expect(read(`shop.example,${name}`).error?.issues).toEqual([
    expect.objectContaining({
      message: `holds ${JSON.stringify(name)}, which is no host name such as shop.example`,
    }),
  ]);
});

test("more than 200 names are too many", () => {
  const names = (count: number) => Array.from({ length: count }, (_, at) => `s${at}.example`).join(",");
  expect(read(names(200)).success).toBe(true);
  expect(read(names(201)).error?.issues[0]?.message).toBe("has more than 200 names");
});

test("what is taken is ASCII in lower case, and stays as it is when it is given again", () => {
  assert(
    property(string({ unit: "grapheme", maxLength: 20 }), (label) => {
      const { data } = read(`${label}.example`);
      if (data === undefined) return;
      for (const name of data) expect(name).toMatch(/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/);
      expect(read(data.join(",")).data).toEqual(data);
    }),
    { numRuns: 1_000 },
  );
});
