import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { get } from "node:https";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type IssuedCertificate, makeAuthority, type TestAuthority } from "../../test/kit/certificates.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { Files } from "../config/changing-file.ts";
import { readPems } from "../config/pem-files.ts";
import { listenOnePort, type OnePortOptions, type OnePortServer } from "./one-port.ts";

let folder: string;
let authority: TestAuthority;
let present: IssuedCertificate;
let files: Files;
let server: OnePortServer;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "footfall-tls-"));
  authority = makeAuthority(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Puts a certificate where the server looks for it. */
function install(name: string): void {
  const issued = authority.issue(name);
  copyFileSync(issued.keyFile, `${present.keyFile}.new`);
  copyFileSync(issued.certificateFile, `${present.certificateFile}.new`);
  renameSync(`${present.keyFile}.new`, present.keyFile);
  renameSync(`${present.certificateFile}.new`, present.certificateFile);
}

async function listen(options: OnePortOptions = {}): Promise<void> {
  const pems = readPems({ ca: undefined, certificate: present.certificateFile, key: present.keyFile }, files);
  server = await listenOnePort(
    "127.0.0.1",
    0,
    (request, response) =>
      (response as { end(text: string): void }).end(`${request.httpVersion} ${request.socket.remoteAddress}`),
    { ...options, tls: pems },
  );
}

beforeEach(async () => {
  files = new Files();
  present = { certificateFile: join(folder, "present.crt"), keyFile: join(folder, "present.key") };
  install("first");
});
afterEach(() => server.close());

const ca = () => readFileSync(authority.caFile);

/** A request over HTTP/1.1 and a connection of its own. @returns the answer, and whose certificate was shown. */
function viaHttp1(): Promise<{ text: string; name: string }> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port: server.port, ca: ca(), agent: false }, (response) => {
      const { socket } = response as unknown as { socket: import("node:tls").TLSSocket };
      const name = String(socket.getPeerCertificate().subject.CN);
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ text, name }));
    });
    request.on("error", reject);
  });
}

function viaHttp2(): Promise<string> {
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: ca() });
  return new Promise<string>((resolve, reject) => {
    session.on("error", reject);
    const stream = session.request({ ":path": "/" });
    let text = "";
    stream.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
    stream.on("end", () => resolve(text)).on("error", reject);
  }).finally(() => session.close());
}

test("HTTP/1.1 and HTTP/2 by ALPN on one port; what is no TLS, and TLS 1.1, is cut off", async () => {
  await listen();
  expect((await viaHttp1()).text).toBe("1.1 127.0.0.1");
  expect(await viaHttp2()).toBe("2.0 127.0.0.1");
  const plain = connectTcp(server.port, "127.0.0.1", () => plain.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
  let said = "";
  plain.on("data", (bytes) => {
    said += bytes.toString("latin1");
  });
  await new Promise((resolve) => plain.on("error", () => {}).on("close", resolve));
  expect(said).not.toContain("HTTP/1.1 200");
  const old = connectTls({
    port: server.port,
    host: "127.0.0.1",
    ca: ca(),
    maxVersion: "TLSv1.1",
    minVersion: "TLSv1",
  });
  expect(
    await new Promise((resolve) => old.on("error", () => resolve("refused")).on("secureConnect", resolve)),
  ).toBe("refused");
});

test("a balancer's PROXY header before the handshake tells the client", async () => {
  await listen({ proxyProtocol: true });
  const raw = connectTcp(server.port, "127.0.0.1");
  raw.write("PROXY TCP4 203.0.113.9 192.0.2.1 51008 443\r\n");
  const socket = connectTls({ socket: raw, ca: ca(), servername: "localhost" });
  socket.write("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes;
  });
  await new Promise((resolve) => socket.on("close", resolve));
  expect(text).toMatch(/203\.0\.113\.9$/m);
});

test("certificates rotate under load: no request fails; a broken one leaves the former", async () => {
  await listen();
  const seen = new Set<string>();
  let failed: unknown;
  let loading = true;
  const load = async () => {
    while (loading) {
      const { name } = await viaHttp1();
      seen.add(name);
      await viaHttp2();
    }
  };
  const keep = (error: unknown) => {
    failed = error;
  };
  const workers = [load(), load()].map((worker) => worker.catch(keep));
  const ask = async (name: string) => seen.has(name) || failed !== undefined;
  await waitFor("the first", () => ask("first"));
  install("second");
  await waitFor("the second", () => ask("second"));
  writeFileSync(present.certificateFile, "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n");
  await waitFor("the problem", () => files.look()[0]!.problem !== undefined);
  seen.clear();
  await waitFor("the second still", () => ask("second"));
  install("third");
  await waitFor("the third", () => ask("third"));
  loading = false;
  await Promise.all(workers);
  expect(failed).toBeUndefined();
  expect(files.look()[0]!.problem).toBeUndefined();
});

test("a connection that is old is told to end, and what is under way is answered", async () => {
  await listen({ maxConnectionAgeMs: 100 });
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: ca() });
  const told = new Promise((resolve) => session.on("goaway", resolve));
  const closed = new Promise((resolve) => session.on("close", resolve));
  expect(await told).toBe(0);
  await closed;
});
