import pg from "pg";
import { expect, test } from "vitest";
import { refusalOf } from "./refusal.ts";

const withCode = (code: string) => Object.assign(new Error("..."), { code });

test("a statement that took too long, a database that is away, and anything else are told apart", () => {
  expect(refusalOf(withCode("57014"))).toBe("too_slow");
  for (const code of ["08006", "53300", "57P01", "57P03", "ECONNRESET"]) {
    expect(refusalOf(withCode(code))).toBe("away");
  }
  expect(refusalOf(new Error("Connection terminated unexpectedly"))).toBe("away");
  expect(refusalOf(new AggregateError([withCode("ECONNREFUSED"), withCode("ECONNREFUSED")]))).toBe("away");
  for (const error of [withCode("42P01"), withCode("22012"), new Error("57014"), "57014", undefined]) {
    expect(refusalOf(error)).toBeUndefined();
  }
});

test("a port that nobody listens on is a database that is away", async () => {
  const pool = new pg.Pool({ host: "localhost", port: 1, connectionTimeoutMillis: 5_000 });
  const error: unknown = await pool.query("SELECT 1").catch((cause: unknown) => cause);
  expect(refusalOf(error)).toBe("away");
  await pool.end();
});
