import fc from "fast-check";
import { expect, test } from "vitest";
import { redact } from "./redact.ts";

const SHOP = "https://shop.example/";
const BENIGN = `${SHOP}men/shoes-12?page=2&utm_source=news&utm_campaign=spring&size=3&q=blue+shoes`;

/** What each way of finding something begins with, and what makes it look on for long. */
const UNITS = [
  ..."a @ / ; = & ? # : + % - . 1 4 e b é a@ @a. ?a= &a= a@a +1 +1- 4111- 4111-4111-4111-4112- eyJ. /eyJhbGciOiJIUz.".split(
    " ",
  ),
  ..."bearer: /token/ /reset/a1 ?code=%26 &name=%26 %25 %2 %2525 a@a.png. a@a.xyz.pdf- a@a.aa- :// a://a@ tel:1".split(
    " ",
  ),
  ..."&#64; &#x &# &a; a; =a %3Da &pin=1 =+12345678- &h=/+ YWFhYWFh /YWFhYWFh 4111111111111112- 4111%201111%20".split(
    " ",
  ),
  "bearer ",
  "+1 ",
  `${"a".repeat(64)}=+12345678 `,
  `&${"a".repeat(127)}=1`,
  `/${"a".repeat(31)}`,
  `/reset/${"a1".repeat(255)}`,
];

/** A text of so many characters. */
const fill = (unit: string, length: number) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);

/** What each character costs, ns: the least of some runs, which nothing else interrupted. */
function cost(unit: string, length: number): number {
  const text = SHOP + fill(unit, length);
  const rounds = Math.ceil(20_000 / length);
  const runs = Array.from({ length: 7 }, () => {
    const before = process.hrtime.bigint();
    for (let round = 0; round < rounds; round++) redact(text);
    return Number(process.hrtime.bigint() - before) / (rounds * length);
  });
  return Math.min(...runs);
}

/** So many times as much as in the address of a page may a character cost, whatever it is: there it is a few ns. */
const MOST_TIMES = 8;

/** Those of the texts that cost too much, each of three times that it is asked: a machine has other work, too. */
function tooSlow(units: readonly string[], length: number): string[] {
  const isSlow = (unit: string) => cost(unit, length) > MOST_TIMES * Math.max(cost(BENIGN, length), 2);
  return units.filter(isSlow).filter(isSlow).filter(isSlow);
}

test.each([1_000, 8_192, 65_536])(
  "of no text of %d characters one costs more than some of a page's address",
  (length) => {
    for (const unit of UNITS) cost(unit, 1_000);
    expect(tooSlow(UNITS, length)).toEqual([]);
  },
);

test("nor of any mixture of them", () => {
  const mixtures = fc.array(fc.constantFrom(...UNITS), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(mixtures, (units) => {
      expect(tooSlow([units.join("")], 8_192)).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test("escapes of escapes take no longer", () => {
  const text = `${SHOP}?q=%${"25".repeat(200_000)}40`;
  // 0.4 million characters: anything quadratic takes minutes.
  const before = performance.now();
  redact(text);
  expect(performance.now() - before).toBeLessThan(1_000);
});
