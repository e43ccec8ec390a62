import { expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import { FencedError } from "../store/write-batches.ts";
import { isFaultOfBatch } from "./bounded-tries.ts";
import { ProcessingError } from "./prepare.ts";

const database = (code: string) => Object.assign(new Error("the database says no"), { code });

test.each([
  ["a step that fails", new ProcessingError("x", { cause: new Error("x") })],
  ["broken code", new TypeError("undefined is not a function")],
  ["a number outside of its column", new RangeError("out of range")],
  ["21000: more than one row", database("21000")],
  ["22003: a number out of range", database("22003")],
  ["22P05: an untranslatable character", database("22P05")],
  ["23502: a null", database("23502")],
  ["23514: a check", database("23514")],
  ["54000: a row too large for its index", database("54000")],
])("%s is the batch's fault", (_, error) => {
  expect(isFaultOfBatch(error)).toBe(true);
});

test.each([
  ["08006: the connection failed", database("08006")],
  ["25006: a standby", database("25006")],
  ["28P01: the password", database("28P01")],
  ["40001: another transaction was first", database("40001")],
  ["42703: a schema of another version", database("42703")],
  ["53100: the disk is full", database("53100")],
  ["55P03: a lock", database("55P03")],
  ["57014: the statement took too long", database("57014")],
  ["58030: an input or output error", database("58030")],
  ["XX000: an internal error", database("XX000")],
  ["a socket", database("ECONNREFUSED")],
  ["a lost connection, of which the driver gives no code", new Error("Connection terminated unexpectedly")],
  ["another owner", new FencedError("partition 1")],
  ["JetStream away", new Failure("unavailable", "JetStream: timeout")],
  ["a step that misses a part", new ProcessingError("x", { cause: new Failure("unavailable", "away") })],
  ["anything else", "text"],
])("%s is not: wait and try again", (_, error) => {
  expect(isFaultOfBatch(error)).toBe(false);
});
