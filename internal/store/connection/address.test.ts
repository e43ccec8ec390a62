import { expect, test } from "vitest";
import { libpqAddress } from "./address.ts";

const BASE = "postgres://footfall:s3cret@db.example:5432/footfall";

test.each([
  ["", ""],
  ["?sslmode=disable", "?sslmode=disable&uselibpqcompat=true"],
  ["?sslmode=require", "?sslmode=require&uselibpqcompat=true"],
  ["?sslmode=verify-full&sslrootcert=system", "?sslmode=verify-full&uselibpqcompat=true"],
  [
    "?sslmode=verify-ca&sslrootcert=%2Fca.crt&options=-c%20x%3Dy",
    "?sslmode=verify-ca&sslrootcert=%2Fca.crt&options=-c+x%3Dy&uselibpqcompat=true",
  ],
])("%s is understood as libpq does", (query, expected) => {
  expect(libpqAddress(BASE + query)).toBe(BASE + expected);
});

test.each([
  ["?sslmode=prefer", "sslmode prefer is none of disable, require, verify-ca, verify-full"],
  ["?sslmode=verify_full", "sslmode verify_full is none of"],
  ["?sslmode=verify-ca", "sslrootcert is needed"],
  ["?sslrootcert=/ca.crt", "sslrootcert needs an sslmode"],
  ["?sslmode=require&sslrootcert=system", "sslrootcert system needs sslmode=verify-full"],
  ["?sslmode=verify-full&sslcert=/c.crt", "sslcert and sslkey belong together"],
  ["?sslmode=verify-full&sslcrl=/crl", "sslcrl is not known"],
])("%s is refused, without a word of the password", (query, message) => {
  expect(() => libpqAddress(BASE + query)).toThrow(message);
  expect(() => libpqAddress(BASE + query)).not.toThrow("s3cret");
});
