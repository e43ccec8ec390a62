import { parseArgs } from "node:util";
import { shownCost, slowestBytes } from "../internal/collect/testing/slowest-byte.ts";

// Looks for the requests that cost the collector most time and memory a byte:
//   node scripts/slowest-byte.ts --seconds 600 --seed 1

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    most: { type: "string", default: String(8 << 20) },
  },
});
const { ordinary, worst } = await slowestBytes({
  seconds: Number(values.seconds),
  seed: Number(values.seed),
  most: Number(values.most),
  onFound: (...found) => console.log(shownCost(...found)),
});
console.log(
  `worst of ${values.seconds} s, seed ${values.seed}; an ordinary body: ${ordinary.toPrecision(3)} ms a KiB`,
);
for (const { goal, value, cost } of worst) console.log(shownCost(goal, value, cost));
