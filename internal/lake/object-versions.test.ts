import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ObjectStore } from "./object-store.ts";

interface Version {
  readonly key: string;
  readonly id: string;
  /** Undefined: the mark of a deletion. */
  readonly bytes: Buffer | undefined;
}

/**
 * As much of S3 as a bucket that keeps versions needs, by its documentation (PUT, GET, DELETE with and without versionId,
 * ListObjectVersions in pages): the embedded endpoint keeps none. Oldest first.
 */
class VersionedBucket {
  versions: Version[] = [];
  #next = 1;

  readonly server: Server = createServer(async (request, response) => {
    const bytes = await bodyOf(request);
    const url = new URL(request.url!, "http://localhost");
    const key = decodeURIComponent(url.pathname.split("/").slice(2).join("/"));
    if (url.searchParams.has("versions")) {
      response.setHeader("content-type", "application/xml");
      response.end(this.#list(url.searchParams));
      return;
    }
    if (request.method === "PUT") this.#add(key, bytes);
    if (request.method === "DELETE") this.#delete(key, url.searchParams.get("versionId"));
    response.statusCode = request.method === "DELETE" ? 204 : 200;
    response.end();
  });

  #add(key: string, bytes: Buffer | undefined): void {
    this.versions.push({ key, id: `v${this.#next++}`, bytes });
  }

  #delete(key: string, versionId: string | null): void {
    if (versionId === null) this.#add(key, undefined);
    else this.versions = this.versions.filter((each) => each.key !== key || each.id !== versionId);
  }

  /** Two a page, by key, the newest of a key first. */
  #list(asked: URLSearchParams): string {
    const [prefix, keyMarker, idMarker] = ["prefix", "key-marker", "version-id-marker"].map(
      (name) => asked.get(name) ?? "",
    ) as [string, string, string];
    const found = this.versions
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) =>
        a.key === b.key ? this.versions.indexOf(b) - this.versions.indexOf(a) : a.key < b.key ? -1 : 1,
      );
    const start = found.findIndex(({ key, id }) => key === keyMarker && id === idMarker) + 1;
    const page = found.slice(start, start + 2);
    const last = page.at(-1);
    const isTruncated = start + 2 < found.length;
    const entries = page.map(({ key, id, bytes }) => {
      const isLatest = found.find((each) => each.key === key)!.id === id;
      const name = bytes === undefined ? "DeleteMarker" : "Version";
      return `<${name}><Key>${key}</Key><VersionId>${id}</VersionId><IsLatest>${isLatest}</IsLatest></${name}>`;
    });
    const next = isTruncated
      ? `<NextKeyMarker>${last!.key}</NextKeyMarker><NextVersionIdMarker>${last!.id}</NextVersionIdMarker>`
      : "";
    return `<?xml version="1.0"?><ListVersionsResult><IsTruncated>${isTruncated}</IsTruncated>${next}${entries.join("")}</ListVersionsResult>`;
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const bucket = new VersionedBucket();
let store: ObjectStore;
beforeAll(async () => {
  await new Promise<void>((resolve) => bucket.server.listen(0, "127.0.0.1", resolve));
  const { port } = bucket.server.address() as AddressInfo;
  store = new ObjectStore({
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    bucket: "b",
    prefix: "test/",
    credentials: async () => ({ accessKeyId: "test", secretAccessKey: "test" }),
    pathStyle: true,
  });
});
afterAll(() => {
  store.close();
  bucket.server.close();
});

const listed = async () => {
  const names: string[] = [];
  for await (const page of store.listDeleted("events/")) names.push(...page);
  return names.sort();
};

test("an object goes with all its versions and marks of deletion, and no other does", async () => {
  const bytes = Buffer.from("x");
  for (const name of ["events/a", "events/a", "events/ab", "events/b", "events/c"])
    await store.put(name, bytes);
  for (const name of ["events/a", "events/b"]) await store.delete(name);
  expect(await listed()).toEqual(["events/a", "events/b"]);
  await store.put("events/b", bytes);
  // What is there again is not deleted.
  expect(await listed()).toEqual(["events/a"]);
  await store.purge("events/a");
  expect(bucket.versions.map(({ key }) => key).sort()).toEqual([
    "test/events/ab",
    "test/events/b",
    "test/events/b",
    "test/events/b",
    "test/events/c",
  ]);
  await store.purge("events/b");
  await store.purge("events/c");
  expect(bucket.versions.map(({ key }) => key)).toEqual(["test/events/ab"]);
  expect(await listed()).toEqual([]);
});
