import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryDirectory } from "../temporary.ts";
import { findNatsServer, natsVersion } from "./find.ts";
import { configuration, type Nats, startNats } from "./start.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let nats: Nats | undefined;

beforeAll(async () => {
  directory = await temporaryDirectory("nats");
  await findNatsServer();
}, 120_000);

afterAll(async () => {
  await nats?.stop();
  await directory.remove();
});

describe("startNats", () => {
  test("a stream survives a restart", async () => {
    nats = await startNats({ dataDir: directory.path });
    const before = await connect({ servers: nats.url });
    expect(before.info).toMatchObject({ jetstream: true, max_payload: 8 << 20 });
    await (await jetstreamManager(before)).streams.add({ name: "EVENTS", subjects: ["events.>"] });
    const large = new Uint8Array(2 << 20).fill(7);
    expect((await jetstream(before).publish("events.1", large)).seq).toBe(1);
    await before.close();
    await nats.stop();

    nats = await startNats({ dataDir: directory.path });
    const after = await connect({ servers: nats.url });
    const message = await (await jetstreamManager(after)).streams.getMessage("EVENTS", { seq: 1 });
    expect(message?.data.length).toBe(large.length);
    await after.close();
  });

  test("a port in use is an error with the server's own words", async () => {
    const port = Number(new URL(nats!.url).port);
    const dataDir = `${directory.path}/second`;
    await expect(startNats({ dataDir, port })).rejects.toThrow(/address already in use/);
  });
});

describe("findNatsServer", () => {
  test("NATS_SERVER_BIN that is no program is an error", async () => {
    const env = { NATS_SERVER_BIN: "/nowhere/nats-server" };
    await expect(findNatsServer(env)).rejects.toThrow("NATS_SERVER_BIN=/nowhere/nats-server is not");
  });

  test("the version is read, and sync_interval set only where it exists", async () => {
    expect((await natsVersion(await findNatsServer()))[0]).toBeGreaterThanOrEqual(2);
    const at = (version: [number, number, number]) =>
      configuration({ port: 1, dataDir: "/d", name: "n", version });
    expect(at([2, 9, 10])).not.toContain("sync_interval");
    expect(at([2, 10, 0])).toContain("sync_interval: always");
  });
});
