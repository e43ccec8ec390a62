import fc from "fast-check";
import { expect, test } from "vitest";
import { botOf } from "./bot.ts";
import { cutAgent } from "./cut.ts";
import { deviceOf } from "./device.ts";

const TARGET_MS = 1;

/** What patterns go back over, if they do: parts of names and openings that never close. */
const PIECES = [
  ..."a1 (-./;:|@%é",
  ..."((,() ,1.,1/,a/1.0;,@a-,; x;,a-,a.b.,9.9,bot,spider ,Spider,crawl,news,google,daum,www.".split(","),
  ..."ContextualBot|Current |Linux; Android |(Linux; Android |Mozilla/5.0 (|Chrome/|; wv)|Android |TV|Presto |Tizen ".split(
    "|",
  ),
];

/** The quickest of a few runs, ms: what the machine does beside it is not the agent's fault. */
function quickest(run: () => unknown): number {
  const times = Array.from({ length: 8 }, () => {
    const started = performance.now();
    run();
    return performance.now() - started;
  });
  return Math.min(...times);
}

test.each([2_048, 8_192])(
  "agents of %i characters cost less than a millisecond, whatever they repeat",
  (length) => {
    for (const piece of PIECES) {
      for (const start of ["", "Mozilla/5.0 (Linux; Android 10; "]) {
        const agent = (start + piece.repeat(length)).slice(0, length);
        expect([piece, quickest(() => botOf(cutAgent(agent))) < TARGET_MS]).toEqual([piece, true]);
        expect([piece, quickest(() => deviceOf(cutAgent(agent))) < TARGET_MS]).toEqual([piece, true]);
      }
    }
  },
);

test("every text but the empty one, which is no agent, gets a verdict and a device, and no name is longer than it is kept", () => {
  const words = fc
    .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 60 })
    .map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.oneof(words, fc.string({ unit: "binary", minLength: 1, maxLength: 300 })), (agent) => {
      expect(deviceOf(agent)).toHaveLength(5);
      expect((botOf(agent)?.name ?? "").length).toBeLessThanOrEqual(60);
    }),
  );
});
