import fc from "fast-check";
import { expect, test } from "vitest";
import { Notice_Kind } from "../../gen/footfall/query/v1/info_pb.js";
import { Granularity } from "../../gen/footfall/query/v1/period_pb.js";
import { Unit } from "../../gen/footfall/query/v1/table_pb.js";
import { reportOf } from "../report.ts";
import { amounts, buckets, integers, numbers, sampleAnswer, texts } from "../testing/answers.ts";
import { reportChart } from "./chart.ts";
import { csv, escapeFormula, reportCsv } from "./csv.ts";
import { reportJson } from "./json.ts";
import { reportTable } from "./table.ts";

const DAY = { granularity: Granularity.DAY };

/** The cells of a drawn table, and the lines below it. */
function read(table: string) {
  const lines = table.split("\n");
  return {
    cells: lines
      .filter((line) => line.startsWith("│"))
      .map((line) =>
        line
          .split("│")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
    below: lines.filter((line) => !/^[│┌├└]/.test(line)),
  };
}

const byChannel = reportOf(
  DAY,
  [
    sampleAnswer(
      3,
      [
        texts("channel", ["Organic\u001b[31m Search\u202e", null, null]),
        integers("visitors", [1_234_567n, 10n, 0n], { standardErrors: [0.0081, 0, 0] }),
        amounts("revenue", [
          [9_223_372_036_854_775n, 250_000_000],
          [-1n, -750_000_000],
          [0n, 0],
        ]),
        numbers("bounce_rate", Unit.RATIO, [0.4321, Number.NaN, 1]),
        numbers("session_duration", Unit.SECONDS, [187.4, 3.25, 45_296]),
        integers("visitors", [1_000_000n, 20n, 0n], { periodIndex: 1 }),
        amounts(
          "revenue",
          [
            [1n, 500_000_000],
            [2n, 0],
            [0n, 0],
          ],
          { periodIndex: 1 },
        ),
        numbers("bounce_rate", Unit.RATIO, [0.5, 0.5, 0.5], { periodIndex: 1 }),
        numbers("session_duration", Unit.SECONDS, [100, 100, 100], { periodIndex: 1 }),
      ],
      [
        integers("visitors", [1_234_570n]),
        amounts("revenue", [[5n, 0]]),
        numbers("bounce_rate", Unit.RATIO, [0.4]),
        numbers("session_duration", Unit.SECONDS, [60]),
        integers("visitors", [1_000_010n], { periodIndex: 1 }),
        amounts("revenue", [[5n, 0]], { periodIndex: 1 }),
        numbers("bounce_rate", Unit.RATIO, [0.4], { periodIndex: 1 }),
        numbers("session_duration", Unit.SECONDS, [60], { periodIndex: 1 }),
      ],
      { totalSize: 173 },
    ),
  ].map((page) => {
    page.table!.restRows = [2];
    page.info!.notices.push({
      $typeName: "footfall.query.v1.Notice",
      kind: Notice_Kind.ESTIMATED,
      count: 0n,
      message: "estimated",
    });
    return page;
  }),
  undefined,
);

test("a table with a comparison: amounts, rates, durations, errors, none and all others", () => {
  const { cells, below } = read(reportTable(byChannel));
  const compared = ["before", "change"];
  expect(cells).toEqual([
    [
      "channel",
      ...["visitors", "revenue", "bounce_rate", "session_duration"].flatMap((m) => [m, ...compared]),
    ],
    [
      "Organic Search\ufffd",
      ...["1,234,567 ±0.81 %", "1,000,000", "+23.5 %"],
      ...["€9,223,372,036,854,775.25", "€1.50", "+614,900,000,000,000,000 %"],
      ...["43.2 %", "50.0 %", "-13.6 %"],
      ...["3 m 07 s", "1 m 40 s", "+87.4 %"],
    ],
    [
      "(none)",
      ...["10", "20", "-50 %"],
      ...["-€1.75", "€2.00", "-187.5 %"],
      ...["–", "50.0 %", "–"],
      ...["3.3 s", "1 m 40 s", "-96.8 %"],
    ],
    [
      "(all others)",
      ...["0", "0", "–"],
      ...["€0.00", "€0.00", "–"],
      ...["100.0 %", "50.0 %", "+100 %"],
      ...["12 h 34 m", "1 m 40 s", "+45,200 %"],
    ],
    [
      "total",
      ...["1,234,570", "1,000,010", "+23.5 %"],
      ...["€5.00", "€5.00", "0 %"],
      ...["40.0 %", "40.0 %", "0 %"],
      ...["1 m 00 s", "1 m 00 s", "0 %"],
    ],
  ]);
  expect(below).toEqual([
    "3 of 173 rows",
    "± standard error of an estimate, relative to it; --accuracy exact counts all",
    "note: estimated",
    "2026-11-01 to 2026-11-30 (Europe/Berlin), compared to 2026-10-02 to 2026-10-31",
    "data through 2026-11-30 10:30; cost 12, 359,988 left",
  ]);
});

test("without dimensions a line for each metric", () => {
  const totals = [integers("visitors", [3n]), amounts("revenue", [[1n, 5_000_000]])];
  const { cells } = read(reportTable(reportOf(DAY, [sampleAnswer(1, totals, totals)], undefined)));
  expect(cells).toEqual([
    ["metric", "value"],
    ["visitors", "3"],
    ["revenue", "€1.01"],
  ]);
});

// Berlin's clock is set back at 2026-10-25T01:00Z.
const HOURS = ["2026-10-24T23:00Z", "2026-10-25T00:00Z", "2026-10-25T01:00Z"];
const byHour = (granularity: Granularity) =>
  reportOf(
    { granularity },
    [
      sampleAnswer(
        3,
        [buckets(HOURS, 60, [2]), integers("visitors", [1n, 2n, 4n])],
        [integers("visitors", [7n])],
      ),
    ],
    undefined,
  );

test("buckets as the local clock shows them, partial ones with a mark", () => {
  const { cells, below } = read(reportTable(byHour(Granularity.HOUR)));
  expect(cells.map(([first]) => first)).toEqual([
    "time",
    "2026-10-25 01:00",
    "2026-10-25 02:00",
    "2026-10-25 02:00 *",
    "total",
  ]);
  expect(below[0]).toBe("* cut by the period, or not over yet");
});

test("in CSV and JSON no hour is told twice, and numbers are whole", () => {
  expect(reportCsv(byHour(Granularity.HOUR))).toBe(
    [
      "time,time:is_partial,visitors",
      "2026-10-25T01:00:00+02:00,false,1",
      "2026-10-25T02:00:00+02:00,false,2",
      "2026-10-25T02:00:00+01:00,true,4",
      "",
    ].join("\r\n"),
  );
  expect(JSON.parse(reportJson(byHour(Granularity.HOUR)))).toMatchObject({
    rows: [
      { time: "2026-10-25T01:00:00+02:00", visitors: 1 },
      { time: "2026-10-25T02:00:00+02:00", visitors: 2 },
      { time: "2026-10-25T02:00:00+01:00", visitors: 4, is_partial: true },
    ],
    totals: { visitors: 7 },
    time_zone: "Europe/Berlin",
  });
});

test("CSV and JSON of a comparison", () => {
  const [head, first] = reportCsv(byChannel).split("\r\n");
  expect(head).toBe(
    "channel,is_rest,visitors,visitors:standard_error,visitors:before,revenue,revenue:before,bounce_rate,bounce_rate:before,session_duration,session_duration:before",
  );
  expect(first).toContain(",false,1234567,0.0081,1000000,9223372036854775.25,1.50,0.4321,0.5,187.4,100");
  const { rows } = JSON.parse(reportJson(byChannel)) as { rows: unknown[] };
  expect(rows[1]).toEqual({
    channel: null,
    visitors: 10,
    revenue: "-1.75",
    bounce_rate: null,
    session_duration: 3.25,
    before: { visitors: 20, revenue: "2.00", bounce_rate: 0.5, session_duration: 100 },
  });
  expect(rows[0]).toMatchObject({ standard_errors: { visitors: 0.0081 } });
  expect(rows[2]).toMatchObject({ is_rest: true });
});

/** RFC 4180, section 2, read sign by sign. */
function readCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let at = 0;
  while (at < text.length) {
    let field = "";
    if (text[at] === '"') {
      for (at++; text[at] !== '"' || text[at + 1] === '"'; at++) {
        if (text[at] === '"') at++;
        field += text[at];
      }
      at++;
    } else {
      while (text[at] !== "," && text[at] !== "\r") field += text[at++];
    }
    record.push(field);
    if (text[at] === ",") at++;
    else {
      at += 2;
      records.push(record);
      record = [];
    }
  }
  return records;
}

const field = fc.oneof(
  fc.constantFrom("", '"', '""', ",", "\r\n", "\r", "\n", "=1+1", "-1", "@x", "\t=1"),
  fc.string({ unit: "grapheme" }),
);

test("CSV is read as it was written", () => {
  const records = fc.array(fc.array(field, { minLength: 1, maxLength: 5 }), { maxLength: 5 });
  fc.assert(
    fc.property(records, (given) => {
      expect(readCsv(csv(given))).toEqual(given);
    }),
  );
});

test("no text of CSV begins as a formula", () => {
  fc.assert(
    fc.property(field, (text) => {
      expect(escapeFormula(text)).not.toMatch(/^[=+\-@\t\r]/);
      expect(escapeFormula(text).replace(/^'(?=[=+\-@\t\r])/, "")).toBe(text);
    }),
  );
});

test("charts: lines over time, bars otherwise", () => {
  const lines = reportChart(byHour(Granularity.HOUR), 80).split("\n");
  expect(lines[0]).toBe("visitors");
  expect(lines).toContain("2026-10-25 01:00 to 2026-10-25 02:00 *");
  const bars = reportChart(
    reportOf(
      DAY,
      [
        sampleAnswer(
          3,
          [texts("page", ["/a", "/bc", null]), integers("views", [8n, 4n, 0n])],
          [integers("views", [12n])],
        ),
      ],
      undefined,
    ),
    26,
  );
  // Label of 6, value of 1, three spaces: 16 are left.
  expect(bars.split("\n").slice(0, 4)).toEqual([
    "views",
    `/a      ${"█".repeat(16)} 8`,
    `/bc     ${"█".repeat(8)} 4`,
    "(none)   0",
  ]);
});

test("a chart for each value of another dimension, up to eight", () => {
  const values = Array.from({ length: 10 }, (_, index) => `c${index}`);
  const rows = values.flatMap((value) => HOURS.map((hour) => ({ value, hour })));
  const chart = reportChart(
    reportOf(
      { granularity: Granularity.HOUR },
      [
        sampleAnswer(
          rows.length,
          [
            buckets(
              rows.map(({ hour }) => hour),
              60,
            ),
            texts(
              "country",
              rows.map(({ value }) => value),
            ),
            integers(
              "views",
              rows.map((_, index) => BigInt(index)),
            ),
          ],
          [integers("views", [1n])],
        ),
      ],
      undefined,
    ),
    80,
  );
  expect(chart.match(/^views, c\d$/gm)).toEqual(values.slice(0, 8).map((value) => `views, ${value}`));
  expect(chart).toContain("and 2 more of views");
});
