import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type IssuedCertificate, makeAuthority } from "../../../test/kit/certificates.ts";
import { findPostgres } from "../../../test/kit/debian-programs.ts";
import { type PlainPostgres, startPlainPostgres } from "../../../test/kit/plain-postgres.ts";
import { temporaryDirectory } from "../../embedded/temporary.ts";
import { createPool, type Pool, transaction } from "../pool.ts";

const postgresProgram = await findPostgres();

/** Everybody is trusted but `certified`, who must show a certificate of that name. */
const HBA = `hostssl all certified 127.0.0.1/32 cert
host all postgres 127.0.0.1/32 trust
`;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let postgres: PlainPostgres;
let plain: PlainPostgres;
let files: { ca: string; otherCa: string; client: IssuedCertificate };
const pools: Pool[] = [];

async function makeFiles(): Promise<IssuedCertificate> {
  directory = await temporaryDirectory("tls");
  const folder = (name: string) => join(directory.path, name);
  await mkdir(folder("other"));
  const authority = makeAuthority(directory.path);
  const client = authority.issue("certified");
  files = { ca: authority.caFile, otherCa: makeAuthority(folder("other")).caFile, client };
  return authority.issue("server", ["DNS:localhost"]);
}

function poolOf(
  parameters: string,
  { host = "127.0.0.1", user = "postgres", port = postgres.port } = {},
): Pool {
  const url = `postgres://${user}@${host}:${port}/postgres${parameters}`;
  const pool = createPool({ url, name: "tls test", maxConnections: 1, statementTimeoutMs: 20_000 });
  pools.push(pool);
  return pool;
}

/** Whether the connection is encrypted, as the server sees it. */
async function isEncrypted(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  return rows[0]!.ssl;
}

describe.skipIf(postgresProgram === undefined)("needs Debian's postgresql", () => {
  beforeAll(async () => {
    const server = await makeFiles();
    postgres = await startPlainPostgres(postgresProgram!, async (folder) => {
      const settings = {
        cert: join(folder, "server.crt"),
        key: join(folder, "server.key"),
        ca: join(folder, "ca.crt"),
      };
      await copyFile(server.certificateFile, settings.cert);
      await copyFile(server.keyFile, settings.key);
      await copyFile(files.ca, settings.ca);
      await writeFile(join(folder, "hba.conf"), HBA);
      return {
        ssl: "on",
        ssl_cert_file: settings.cert,
        ssl_key_file: settings.key,
        ssl_ca_file: settings.ca,
        hba_file: join(folder, "hba.conf"),
      };
    });
    plain = await startPlainPostgres(postgresProgram!);
    await poolOf("").query("CREATE ROLE certified LOGIN");
  });

  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
  });

  afterAll(async () => {
    await postgres?.close();
    await plain?.close();
    await directory?.remove();
  });

  test("without an sslmode, and with disable, nothing is encrypted", async () => {
    expect(await isEncrypted(poolOf(""))).toBe(false);
    expect(await isEncrypted(poolOf("?sslmode=disable"))).toBe(false);
  });

  test("require encrypts, whoever signed the certificate; with sslrootcert it must be that authority", async () => {
    expect(await isEncrypted(poolOf("?sslmode=require"))).toBe(true);
    expect(await isEncrypted(poolOf(`?sslmode=require&sslrootcert=${files.ca}`))).toBe(true);
    await expect(isEncrypted(poolOf(`?sslmode=require&sslrootcert=${files.otherCa}`))).rejects.toThrow();
  });

  test("verify-ca asks for the authority, and verify-full for the host's name too", async () => {
    expect(await isEncrypted(poolOf(`?sslmode=verify-ca&sslrootcert=${files.ca}`))).toBe(true);
    await expect(isEncrypted(poolOf(`?sslmode=verify-ca&sslrootcert=${files.otherCa}`))).rejects.toThrow();
    const full = `?sslmode=verify-full&sslrootcert=${files.ca}`;
    expect(await isEncrypted(poolOf(full, { host: "localhost" }))).toBe(true);
    await expect(isEncrypted(poolOf(full))).rejects.toThrow(/altnames|IP/);
    await expect(isEncrypted(poolOf("?sslmode=verify-full", { host: "localhost" }))).rejects.toThrow();
  });

  test("a server that speaks no TLS is not talked to in clear", async () => {
    const pool = poolOf("?sslmode=require", { port: plain.port });
    await expect(pool.query("SELECT 1")).rejects.toThrow("does not support SSL");
  });

  test("a client shows its certificate", async () => {
    const { certificateFile, keyFile } = files.client;
    const shown = `?sslmode=verify-ca&sslrootcert=${files.ca}&sslcert=${certificateFile}&sslkey=${keyFile}`;
    expect(await isEncrypted(poolOf(shown, { user: "certified" }))).toBe(true);
    const hidden = poolOf(`?sslmode=verify-ca&sslrootcert=${files.ca}`, { user: "certified" });
    await expect(isEncrypted(hidden)).rejects.toThrow("certificate");
  });

  test("files are read again for each new connection", async () => {
    const ca = join(directory.path, "changing.crt");
    await copyFile(files.otherCa, ca);
    const pool = poolOf(`?sslmode=verify-ca&sslrootcert=${ca}`);
    await expect(isEncrypted(pool)).rejects.toThrow();
    await copyFile(files.ca, ca);
    expect(await isEncrypted(pool)).toBe(true);
  });

  test("an address is asked for again for each new connection", async () => {
    let user = "nobody_of_that_name";
    const url = () => `postgres://${user}@127.0.0.1:${postgres.port}/postgres?sslmode=require`;
    const pool = createPool({ url, name: "tls test", maxConnections: 1, statementTimeoutMs: 20_000 });
    pools.push(pool);
    await expect(isEncrypted(pool)).rejects.toThrow("nobody_of_that_name");
    user = "postgres";
    expect(await isEncrypted(pool)).toBe(true);
  });

  test("a statement is cancelled over TLS", async () => {
    const pool = poolOf(`?sslmode=verify-full&sslrootcert=${files.ca}`, { host: "localhost" });
    await pool.query("SELECT 1");
    const signal = AbortSignal.timeout(300);
    const before = performance.now();
    const sleeping = transaction(pool, (client) => client.query("SELECT pg_sleep(15)"), { signal });
    await expect(sleeping).rejects.toMatchObject({ code: "57014" });
    expect(performance.now() - before).toBeLessThan(10_000);
  });
});
