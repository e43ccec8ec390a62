import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestS3, type TestS3 } from "../../test/kit/s3.ts";
import { objectName, parseObjectName } from "./object-name.ts";
import { isMissing, isRefused, ObjectStore } from "./object-store.ts";

let s3: TestS3;
beforeAll(async () => {
  s3 = await openTestS3("some/prefix/");
});
afterAll(() => s3?.close());

// Above one part, and above what the endpoint takes in one request.
test.each([0, 5, 8 << 20, 30_000_000])("an object of %d bytes comes back as it was put", async (size) => {
  const bytes = randomBytes(size);
  const name = `sizes/a=1/${size}.bin`;
  await s3.store.put(name, bytes);
  await s3.store.put(name, bytes);
  expect(Buffer.from(await s3.store.get(name)).equals(bytes)).toBe(true);
  expect(s3.store.key(name)).toBe(`some/prefix/${name}`);
});

test("objects are listed by the beginning of their names, all pages, and are there after kill -9", async () => {
  const names = Array.from({ length: 1_005 }, (_, at) => `list/${String(at).padStart(4, "0")}`);
  for (let at = 0; at < names.length; at += 50) {
    await Promise.all(names.slice(at, at + 50).map((name) => s3.store.put(name, Buffer.from(name))));
  }
  await s3.kill();
  await s3.start();
  const found = [];
  for await (const { name, bytes } of s3.store.list("list/")) found.push([name, bytes]);
  expect(found).toEqual(names.map((name) => [name, 9]));
  expect(Buffer.from(await s3.store.get(names[500]!)).toString()).toBe(names[500]);
});

test("an object that is missing, a bucket that is missing, and a store that is away are told apart", async () => {
  const missing = await s3.store.get("nothing").catch((error: unknown) => error);
  expect([isMissing(missing), isRefused(missing)]).toEqual([true, true]);
  const credentials = async () => ({ accessKeyId: "a", secretAccessKey: "b" });
  const other = { endpoint: s3.url, region: "us-east-1", prefix: "", credentials, pathStyle: true };
  const bucket = new ObjectStore({ ...other, bucket: "nobodys" });
  expect(isRefused(await bucket.check().catch((error: unknown) => error))).toBe(true);
  const away = new ObjectStore({ ...other, endpoint: "http://127.0.0.1:1", bucket: "footfall" });
  const error = await away.check().catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(Error);
  expect([isMissing(error), isRefused(error)]).toEqual([false, false]);
  for (const store of [bucket, away]) store.close();
});

test("names say what an object holds, and sort in the order of the stream", () => {
  const name = { kind: "events", partition: 3, day: "2026-11-23", digest: "9f86d081884c7d65" } as const;
  const names = [9, 10, 999, 1_000].map((seq) => objectName({ ...name, firstSeq: seq, lastSeq: seq + 5 }));
  expect(names[0]).toBe(
    "events/partition=0003/date=2026-11-23/0000000000000009-0000000000000014-9f86d081884c7d65.parquet",
  );
  expect(names.toSorted()).toEqual(names);
  expect(parseObjectName(names[3]!)).toEqual({ ...name, firstSeq: 1_000, lastSeq: 1_005 });
  const aside = { ...name, kind: "dead_letter", firstSeq: 1, lastSeq: 1 } as const;
  expect(parseObjectName(objectName(aside))).toEqual(aside);
  expect(parseObjectName("events/partition=0003/_SUCCESS")).toBeUndefined();
});
