import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { bucketEdges } from "./edges.ts";
import { spanOf } from "./range.ts";

// PostgreSQL has its own time zone rules and code: it looks at every minute of the span by the local clock.
let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(1);
});
afterAll(() => database?.close());

/** Zones with a history: half and quarter hours, clocks that change at midnight, skipped days. */
const ZONES = [
  ..."Europe/Berlin Europe/Lisbon America/New_York America/Sao_Paulo America/Havana America/St_Johns".split(
    " ",
  ),
  ..."America/Asuncion America/Caracas Africa/Cairo Africa/Casablanca Atlantic/Azores Antarctica/Troll".split(
    " ",
  ),
  ..."Asia/Kathmandu Asia/Kolkata Asia/Tehran Asia/Beirut Asia/Amman Asia/Pyongyang UTC".split(" "),
  ..."Australia/Lord_Howe Australia/Adelaide Pacific/Chatham Pacific/Apia Pacific/Kiritimati".split(" "),
];

/** A few days anywhere, or right around a change of the clock. */
const range = fc
  .record({
    zone: fc.constantFrom(...ZONES),
    day: fc.date({ min: new Date("1973-01-01"), max: new Date("2023-12-31"), noInvalidDate: true }),
    atChange: fc.boolean(),
    days: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ zone, day, atChange, days }) => {
    const somewhere = Temporal.Instant.fromEpochMilliseconds(day.getTime()).toZonedDateTimeISO(zone);
    const change = atChange ? somewhere.getTimeZoneTransition("previous") : null;
    // Older changes may lie on odd seconds, which a look at every minute does not find.
    const near = change !== null && change.year >= 1973 ? change : somewhere;
    const start = near.toPlainDate().subtract({ days: days % 3 });
    return { zone, start: `${start}`, end: `${start.add({ days })}` };
  });

async function ask(sql: string, values: unknown[]): Promise<number[]> {
  const { rows } = await database.pool.query<{ t: Date }>(sql, values);
  return rows.map(({ t }) => t.getTime());
}

const MINUTES = `generate_series($1::timestamptz, $2::timestamptz - INTERVAL '1 minute', INTERVAL '1 minute') t`;

test.each(["day", "week", "month"] as const)(
  "a %s begins where date_trunc first says so",
  async (granularity) => {
    await fc.assert(
      fc.asyncProperty(range, async ({ zone, start, end }) => {
        const span = spanOf({ kind: "dates", start, end }, zone);
        const first = await ask(
          `SELECT min(t) AS t FROM ${MINUTES} WHERE (t AT TIME ZONE $3)::date >= $4::date
         GROUP BY date_trunc($5, t AT TIME ZONE $3) ORDER BY 1`,
          [new Date(span.start), new Date(span.end), zone, start, granularity],
        );
        expect(bucketEdges(span, zone, granularity)).toEqual([...first, span.end]);
      }),
      { numRuns: 60 },
    );
  },
);

test.each([
  ["hour", 60],
  ["quarter_hour", 15],
] as const)("%s: a bucket begins where the local clock shows it", async (granularity, minutes) => {
  await fc.assert(
    fc.asyncProperty(range, async ({ zone, start, end }) => {
      const span = spanOf({ kind: "dates", start, end }, zone);
      const shown = await ask(
        `SELECT t FROM ${MINUTES} WHERE extract(minute FROM t AT TIME ZONE $3)::integer % $4 = 0 AND t > $1 ORDER BY 1`,
        [new Date(span.start), new Date(span.end), zone, minutes],
      );
      expect(bucketEdges(span, zone, granularity)).toEqual([span.start, ...shown, span.end]);
    }),
    { numRuns: 60 },
  );
});
