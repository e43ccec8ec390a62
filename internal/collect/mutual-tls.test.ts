import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type IssuedCertificate, makeAuthority, type TestAuthority } from "../../test/kit/certificates.ts";
import { testKey } from "../../test/kit/keys.ts";
import { Files } from "../config/changing-file.ts";
import { readPems } from "../config/pem-files.ts";
import { clientSide, serverSide } from "../rpc/pem-provider.ts";
import { keySha256 } from "../store/api-keys.ts";
import { IngestClient } from "./ingest-client.ts";
import { FakeIngest, TOKEN } from "./testing/fake-ingest.ts";
import { FakePublisher } from "./testing/fake-publisher.ts";

let folder: string;
let ours: TestAuthority;
let others: TestAuthority;
let ingest: FakeIngest;
const clients: IngestClient[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "footfall-mutual-"));
  ours = makeAuthority(folder);
  others = makeAuthority(folder, "others");
  const { certificateFile: certificate, keyFile: key } = ours.issue("ingest", ["DNS:ingest.example"]);
  ingest = new FakeIngest(new FakePublisher());
  await ingest.start(4, serverSide(readPems({ ca: ours.caFile, certificate, key }, new Files())));
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(() => {
  ingest.kill();
  rmSync(folder, { recursive: true });
});

/** Asks ingest for a merchant. @returns its id, or what went wrong. */
async function ask(ca: string | undefined, own?: IssuedCertificate, serverName = "ingest.example") {
  const files = { ca, certificate: own?.certificateFile, key: own?.keyFile };
  const credentials = ca === undefined ? clientSide(undefined) : clientSide(readPems(files, new Files()));
  const client = new IngestClient(ingest.address, TOKEN, { credentials, serverName });
  clients.push(client);
  return client.resolveKey(keySha256(testKey("ffw_one"))).then(
    ({ merchantId }) => Number(merchantId),
    (error: Error) => error.message,
  );
}

test("a collector with a certificate of the right authority is let in", async () => {
  expect(await ask(ours.caFile, ours.issue("collector"))).toBe(1);
});

test("one without, or of another authority, or that speaks in the clear, is not", async () => {
  for (const refused of [ask(ours.caFile), ask(ours.caFile, others.issue("stranger")), ask(undefined)]) {
    expect(await refused).toMatch(/^ingest: /);
  }
});

test("an ingest that cannot show the right certificate gets nothing", async () => {
  const own = ours.issue("collector-2");
  expect(await ask(others.caFile, own)).toMatch(/certificate/);
  expect(await ask(ours.caFile, own, "elsewhere.example")).toMatch(/altnames|elsewhere/);
});
