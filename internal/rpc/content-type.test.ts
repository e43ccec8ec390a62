import { expect, test } from "vitest";
import { isJsonType, normalContentType } from "./content-type.ts";

test.each([
  ["application/json", "application/json"],
  ["Application/JSON", "application/json"],
  ['application/json; charset="utf-8"', "application/json"],
  ["application/json;charset=UTF-8", "application/json"],
  ["application/json ; charset = utf-8", "application/json"],
  ["application/json; odata=verbose; Charset=utf8", "application/json"],
  ["application/json; charset=ISO-8859-1", "application/json; charset=iso-8859-1"],
  ["application/grpc-web-text+proto", "application/grpc-web-text+proto"],
  ["Text/Plain;charset=UTF-8", "text/plain"],
  ["", ""],
])("%j is %j", (given, normal) => {
  expect(normalContentType(given)).toBe(normal);
  expect(normalContentType(normal)).toBe(normal);
});

test("JSON is told from the binary forms", () => {
  const json = ["json", "connect+json", "grpc+json", "grpc-web+json", "grpc-web-text+json"];
  for (const type of json) expect(isJsonType(`application/${type}`)).toBe(true);
  const others = ["proto", "grpc", "grpc-web", "grpc-web-text", "jsonl", "json-seq"];
  for (const type of others) expect(isJsonType(`application/${type}`)).toBe(false);
});
