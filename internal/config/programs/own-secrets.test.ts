import { expect, test } from "vitest";
import { environmentFor } from "./own-secrets.ts";

const ALL = {
  PATH: "/bin",
  FOOTFALL_LOG_LEVEL: "warn",
  DATABASE_URL: "d",
  NATS_URL_FILE: "/n",
  FOOTFALL_INGEST_TOKEN: "t",
  FOOTFALL_INGEST_TOKENS: "t,u",
  FOOTFALL_S3_SECRET_ACCESS_KEY: "s",
};
const OPEN = { PATH: "/bin", FOOTFALL_LOG_LEVEL: "warn" };

test.each([
  ["collector", { FOOTFALL_INGEST_TOKEN: "t" }],
  ["ingest", { DATABASE_URL: "d", NATS_URL_FILE: "/n", FOOTFALL_INGEST_TOKENS: "t,u" }],
  ["query", { DATABASE_URL: "d" }],
  ["aggregator", { DATABASE_URL: "d", NATS_URL_FILE: "/n" }],
  ["archiver", { DATABASE_URL: "d", NATS_URL_FILE: "/n", FOOTFALL_S3_SECRET_ACCESS_KEY: "s" }],
  [undefined, {}],
])("%s gets its own secrets alone", (name, own) => {
  expect(environmentFor(name, {}, ALL)).toEqual({ ...OPEN, ...own });
  expect(environmentFor(name, ALL, {})).toEqual({ ...OPEN, ...own });
});

test("what is given goes before what is inherited, also where one is a file", () => {
  expect(environmentFor("query", { DATABASE_URL: "d" }, { DATABASE_URL_FILE: "/d" })).toEqual({
    DATABASE_URL: "d",
  });
  expect(environmentFor("query", { DATABASE_URL_FILE: "/d" }, { DATABASE_URL: "d" })).toEqual({
    DATABASE_URL_FILE: "/d",
  });
});
