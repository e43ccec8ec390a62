import fc from "fast-check";
import { expect, test } from "vitest";
import { reportOf } from "./report.ts";
import { amounts, integers, sampleAnswer, texts } from "./testing/answers.ts";

test("amounts are decimal digits, exactly", () => {
  const nanos = fc.bigInt({ min: -(2n ** 90n), max: 2n ** 90n });
  const small = fc.bigInt({ min: -(10n ** 10n), max: 10n ** 10n });
  fc.assert(
    fc.property(fc.oneof(nanos, small), (amount) => {
      fc.pre(amount / 10n ** 9n < 2n ** 63n && amount / 10n ** 9n > -(2n ** 63n));
      const pair: [bigint, number] = [amount / 10n ** 9n, Number(amount % 10n ** 9n)];
      const column = [amounts("revenue", [pair])];
      const { rows } = reportOf({ granularity: 0 }, [sampleAnswer(1, column, column)], undefined);
      const cell = rows.metrics[0]!.now.cells[0]!;
      const digits = cell.kind === "money" ? cell.amount : "";
      const [, sign, whole, parts] = /^(-?)(\d+)\.(\d{2,9})$/.exec(digits)!;
      const back = BigInt(whole!) * 10n ** 9n + BigInt(parts!.padEnd(9, "0"));
      expect(sign === "-" ? -back : back).toBe(amount);
    }),
  );
});

test("pages become one table, cut at the limit", () => {
  const totals = [integers("visitors", [100n])];
  const first = sampleAnswer(2, [texts("page", ["/a", "/b"]), integers("visitors", [5n, 4n])], totals, {
    totalSize: 4,
  });
  const second = sampleAnswer(
    2,
    [texts("page", ["/c", null]), integers("visitors", [3n, 2n], { standardErrors: [0.1, 0] })],
    totals,
    { totalSize: 4 },
  );
  second.table!.restRows = [1];
  const all = reportOf({ granularity: 0 }, [first, second], undefined);
  expect(all.rows.count).toBe(4);
  expect(all.rows.dimensions[0]!.cells.map((cell) => (cell.kind === "text" ? cell.text : undefined))).toEqual(
    ["/a", "/b", "/c", undefined],
  );
  expect(all.rows.metrics[0]!.now.standardErrors).toEqual([0, 0, 0.1, 0]);
  expect([...all.rows.rest]).toEqual([3]);
  expect(all.totalSize).toBe(4);
  expect(reportOf({ granularity: 0 }, [first, second], 3).rows.count).toBe(3);
});
