import { expect, test } from "vitest";
import { InvalidInput } from "../errors.ts";
import { spanOf } from "./range.ts";
import { timeZoneNamed } from "./zone.ts";

const ns = (iso: string) => Temporal.Instant.from(iso).epochNanoseconds;
const iso = (ms: number) => new Date(ms).toISOString();

function refused(run: () => unknown): { field: string; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof InvalidInput) return { field: error.field!, message: error.message };
    throw error;
  }
  throw new Error("was not refused");
}

test("a range of dates covers its last day, by the local clock", () => {
  const span = spanOf({ kind: "dates", start: "2024-03-30", end: "2024-03-31" }, "Europe/Berlin");
  expect([iso(span.start), iso(span.end)]).toEqual(["2024-03-29T23:00:00.000Z", "2024-03-31T22:00:00.000Z"]);
});

test("a range of times is taken as it is", () => {
  const range = { kind: "times", startNs: ns("2024-01-01T00:01Z"), endNs: ns("2024-01-01T00:02Z") } as const;
  expect(spanOf(range, "Asia/Kathmandu")).toEqual({ start: 1_704_067_260_000, end: 1_704_067_320_000 });
});

test.each([
  ["2024-02-30", "2024-03-01", "dates.start", /"2024-02-30" is not a date/],
  ["2024-01-01", "20240102", "dates.end", /"20240102" is not a date/],
  ["", "2024-01-01", "dates.start", /"" is not a date/],
  ["2024-01-01T00:00", "2024-01-01", "dates.start", /is not a date/],
  ["-000001-01-01", "2024-01-01", "dates.start", /is not a date/],
  ["2024-01-02", "2024-01-01", "dates.start", /"2024-01-02" is after dates.end "2024-01-01"/],
  ["0000-01-01", "2024-01-01", "dates.start", /does not lie between 1900-01-01 and 9999-12-30/],
  ["2024-01-01", "9999-12-31", "dates.end", /does not lie between/],
  ["1900-01-01", "2024-01-01", "dates.end", /"2024-01-01" is more than 100 years after/],
  ["2011-12-30", "2011-12-30", "dates.start", /"2011-12-30" never was in Pacific\/Apia/],
])("dates %s to %s: %s is refused", (start, end, field, message) => {
  const error = refused(() => spanOf({ kind: "dates", start, end }, "Pacific/Apia"));
  expect(error.field).toBe(field);
  expect(error.message).toMatch(message);
});

test.each([
  [ns("2024-01-01T00:00:30Z"), ns("2024-01-02T00:00Z"), "times.start", /00:00:30Z" is not a whole minute/],
  [ns("2024-01-01T00:00Z"), ns("2024-01-02T00:00Z") + 1n, "times.end", /000000001Z" is not a whole minute/],
  [ns("2024-01-01T00:00Z"), ns("2024-01-01T00:00Z"), "times.start", /is not before times.end/],
  [ns("2024-01-02T00:00Z"), ns("2024-01-01T00:00Z"), "times.start", /is not before times.end/],
  [-(10n ** 30n), 0n, "times.start", /does not lie between/],
  [0n, 10n ** 30n, "times.end", /does not lie between/],
  [0n, ns("2071-01-01T00:00Z"), "times.end", /"2071-01-01T00:00:00Z" is more than 100 years after/],
])("times %s to %s: %s is refused", (startNs, endNs, field, message) => {
  const error = refused(() => spanOf({ kind: "times", startNs, endNs }, "UTC"));
  expect(error.field).toBe(field);
  expect(error.message).toMatch(message);
});

test("a time zone is an IANA name in any case; offsets and anything else are refused", () => {
  expect(timeZoneNamed("asia/KATHMANDU")).toBe("Asia/Kathmandu");
  expect(timeZoneNamed("UTC")).toBe("UTC");
  for (const name of ["", "+05:45", "Mars/Olympus", "2020-01-01[Asia/Tokyo]", "Asia/Tokyo\u0000"]) {
    expect(refused(() => timeZoneNamed(name))).toEqual({
      field: "time_zone",
      message: `time_zone "${name}" is not the name of an IANA time zone`,
    });
  }
});
