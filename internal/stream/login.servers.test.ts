import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nkeys } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { makeAuthority, type TestAuthority } from "../../test/kit/certificates.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { type SecuredNats, startSecuredNats } from "../../test/kit/nats-secured.ts";
import { Files } from "../config/changing-file.ts";
import { connectNats, type NatsConfig, type NatsConnection } from "./connect.ts";

let folder: string;
let authority: TestAuthority;
let tls: string;
const servers: SecuredNats[] = [];
const connections: NatsConnection[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "footfall-login-"));
  authority = makeAuthority(folder);
  const { certificateFile, keyFile } = authority.issue("nats");
  tls = `cert_file: "${certificateFile}", key_file: "${keyFile}", ca_file: "${authority.caFile}"`;
});
afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function serve(configuration: string, port?: number): Promise<SecuredNats> {
  const server = await startSecuredNats(folder, configuration, port);
  servers.push(server);
  return server;
}

const NONE: Omit<NatsConfig, "natsUrl"> = {
  natsCredentialsFile: undefined,
  natsCaFile: undefined,
  natsCertificateFile: undefined,
  natsKeyFile: undefined,
};

/** Connects, and asks the server something. */
async function enter(url: string | (() => string), files: Partial<NatsConfig> = {}): Promise<NatsConnection> {
  const natsUrl = typeof url === "string" ? () => url : url;
  const connection = await connectNats({ ...NONE, ...files, natsUrl }, "test", 5_000);
  connections.push(connection);
  await connection.flush();
  return connection;
}

const refusalOf = (url: string, files: Partial<NatsConfig> = {}) =>
  enter(url, files).then(
    () => "none",
    (error: Error) => error.message,
  );

const write = (name: string, text: string | Uint8Array) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test("user and password of the address, with what is special in them; a wrong one is not repeated", async () => {
  const { at } = await serve(`authorization { user: "a@b", password: "p:/%&" }`);
  await enter(`nats://a%40b:p%3A%2F%25%26@${at}`);
  // Only the first of several needs to name them.
  await enter(`nats://a%40b:p%3A%2F%25%26@${at},nats://127.0.0.1:1`);
  for (const url of [`nats://${at}`, `nats://a%40b:hunter2@${at}`, `nats://hunter2@${at}`]) {
    const refusal = await refusalOf(url);
    expect(refusal).toMatch(/authorization/i);
    expect(refusal).not.toContain("hunter2");
  }
});

test("a token", async () => {
  const { at } = await serve(`authorization { token: "to/ken" }`);
  await enter(`nats://to%2Fken@${at}`);
  expect(await refusalOf(`nats://other@${at}`)).toMatch(/authorization/i);
});

test("an NKey's seed in a file", async () => {
  const [known, unknown] = [nkeys.createUser(), nkeys.createUser()];
  const { at } = await serve(`authorization { users: [{ nkey: "${known.getPublicKey()}" }] }`);
  const [good, bad] = [write("known.nk", known.getSeed()), write("unknown.nk", unknown.getSeed())];
  await enter(`nats://${at}`, { natsCredentialsFile: good });
  expect(await refusalOf(`nats://${at}`, { natsCredentialsFile: bad })).toMatch(/authorization/i);
});

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** A JWT of NATS, version 2: https://docs.nats.io/reference/reference-protocols/nats-server-jwt */
function jwt(subject: KeyPair, issuer: KeyPair, type: string, more: object = {}): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const head = part({ typ: "JWT", alg: "ed25519-nkey" });
  const claims = {
    jti: type,
    iat: Math.floor(Date.now() / 1_000),
    name: type,
    nats: { type, version: 2, ...more },
  };
  const body = `${head}.${part({ ...claims, iss: issuer.getPublicKey(), sub: subject.getPublicKey() })}`;
  return `${body}.${Buffer.from(issuer.sign(new TextEncoder().encode(body))).toString("base64url")}`;
}

test("a .creds file: a user's JWT, which its account has signed, and seed", async () => {
  const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()];
  const unlimited = { subs: -1, conn: -1, leaf: -1, imports: -1, exports: -1, data: -1, payload: -1 };
  const accountJwt = jwt(account, operator, "account", { limits: { ...unlimited, wildcards: true } });
  const { at } = await serve(`operator: "${jwt(operator, operator, "operator")}"
resolver: MEMORY
resolver_preload: { ${account.getPublicKey()}: "${accountJwt}" }`);
  const creds = (issuer: KeyPair) => `-----BEGIN NATS USER JWT-----
${jwt(user, issuer, "user", { subs: -1, data: -1, payload: -1 })}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${new TextDecoder().decode(user.getSeed())}
------END USER NKEY SEED------
`;
  await enter(`nats://${at}`, { natsCredentialsFile: write("good.creds", creds(account)) });
  const forged = write("forged.creds", creds(nkeys.createAccount()));
  expect(await refusalOf(`nats://${at}`, { natsCredentialsFile: forged })).toMatch(/authorization/i);
});

test("a credentials file that is none is refused by name, and not repeated", async () => {
  const file = write("wrong.creds", "SUhunter2");
  expect(() =>
    connectNats({ ...NONE, natsUrl: () => "nats://h", natsCredentialsFile: file }, "t", 1),
  ).toThrow("FOOTFALL_NATS_CREDENTIALS_FILE: the value is neither");
  expect(() =>
    connectNats({ ...NONE, natsUrl: () => "nats://h", natsCredentialsFile: file }, "t", 1),
  ).not.toThrow(/hunter2/);
});

test("TLS: the server's certificate is checked against the given authority", async () => {
  const { at } = await serve(`tls { ${tls} }`);
  const port = at.split(":")[1];
  await enter(`nats://${at}`, { natsCaFile: authority.caFile });
  await enter(`tls://localhost:${port}`, { natsCaFile: authority.caFile });
  // The system knows no such authority.
  expect(await refusalOf(`tls://${at}`)).toMatch(/certificate/);
  const other = makeAuthority(folder, "other-authority").caFile;
  expect(await refusalOf(`nats://${at}`, { natsCaFile: other })).toMatch(/certificate/);
  const misnamed = await serve(`tls { ${misnamedCertificate()} }`);
  expect(await refusalOf(`nats://${misnamed.at}`, { natsCaFile: authority.caFile })).toMatch(/altnames|IP/);
});

function misnamedCertificate(): string {
  const { certificateFile, keyFile } = authority.issue("misnamed", ["DNS:elsewhere.example"]);
  return `cert_file: "${certificateFile}", key_file: "${keyFile}"`;
}

test("nothing is said in the clear where TLS was asked for", async () => {
  const { at } = await serve(`authorization { user: "u", password: "p" }`);
  for (const files of [{}, { natsCaFile: authority.caFile }]) {
    expect(await refusalOf(`tls://u:p@${at}`, files)).toMatch(/does not support 'tls'/);
  }
});

test("a client's certificate, where the server wants one", async () => {
  const { at } = await serve(`tls { ${tls}, verify: true }`);
  const { certificateFile: natsCertificateFile, keyFile: natsKeyFile } = authority.issue("client");
  const files = { natsCaFile: authority.caFile, natsCertificateFile, natsKeyFile };
  await enter(`nats://${at}`, files);
  expect(await refusalOf(`nats://${at}`, { natsCaFile: authority.caFile })).not.toBe("none");
});

test("files that do not belong together are refused at the start", () => {
  const [one, two] = [authority.issue("one"), authority.issue("two")];
  const connect = (files: Partial<NatsConfig>) => () =>
    connectNats({ ...NONE, natsUrl: () => "nats://h", ...files }, "t", 1);
  const mixed = { natsCertificateFile: one.certificateFile, natsKeyFile: two.keyFile };
  expect(connect(mixed)).toThrow(/NATS.*cannot be used/);
  expect(connect({ natsKeyFile: two.keyFile })).toThrow(/given together/);
  expect(connect({ natsCaFile: one.keyFile })).toThrow(/no certificate/);
});

test("a connection that is made again uses the password and the authority of then", async () => {
  const server = await serve(`authorization { user: "u", password: "old" }\ntls { ${tls} }`);
  const port = Number(server.at.split(":")[1]);
  let password = "old";
  const caFile = write("rotated-ca.crt", "");
  renameSync(makeCopy(authority.caFile), caFile);
  const connection = await enter(() => `nats://u:${password}@${server.at}`, { natsCaFile: caFile });
  const events: string[] = [];
  void (async () => {
    for await (const { type } of connection.status()) events.push(type);
  })();
  await server.stop();
  const next = makeAuthority(folder, "next-authority");
  const { certificateFile, keyFile } = next.issue("nats-next");
  // The server is first: for a while the client's login and authority are the old ones, and are refused.
  await serve(
    `authorization { user: "u", password: "new" }\ntls { cert_file: "${certificateFile}", key_file: "${keyFile}" }`,
    port,
  );
  await waitFor("refused tries", async () => events.filter((type) => type === "reconnecting").length > 3);
  password = "new";
  renameSync(makeCopy(next.caFile), caFile);
  await waitFor("the connection", async () => events.includes("reconnect"));
  await connection.flush();
});

/** Tests of renaming need a file that may go. */
function makeCopy(path: string): string {
  return write("copy", readFileSync(path));
}

test("files of the connection are told of to whoever watches them", async () => {
  const { at } = await serve(`tls { ${tls} }`);
  const files = new Files();
  const config = { ...NONE, natsUrl: () => `nats://${at}`, natsCaFile: authority.caFile };
  connections.push(await connectNats(config, "test", 5_000, files));
  expect(files.look()).toEqual([{ path: authority.caFile, problem: undefined }]);
});
