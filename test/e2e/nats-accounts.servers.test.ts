import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectNats, type NatsConnection } from "../../internal/stream/connect.ts";
import { DeadLetterStream } from "../../internal/stream/dead-letter-stream.ts";
import { overviewStreams } from "../../internal/stream/overview.ts";
import { ARCHIVER, PartitionFeed } from "../../internal/stream/partition-feed.ts";
import { BatchPublisher } from "../../internal/stream/publisher.ts";
import { DEAD_LETTER_STREAM, ensureStreams, eventsStream, streamEnd } from "../../internal/stream/streams.ts";
import { type SecuredNats, startSecuredNats } from "../kit/nats-secured.ts";

const ACCOUNTS = join(import.meta.dirname, "../../deploy/nats/accounts.conf");
const USERS = ["ingest", "aggregator", "archiver", "replay", "admin"] as const;
type User = (typeof USERS)[number];
const LIMITS = { replicas: 1, maxAgeMs: 3_600_000, maxBytes: 16 << 20 };
const BYTES = Buffer.from("batch");

let folder: string;
let server: SecuredNats;
const as = {} as Record<User, NatsConnection>;

/** The very file of deploy/nats, with passwords in the place of its variables. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "footfall-accounts-"));
  const password = (user: string) => `password-of-${user}`;
  const accounts = readFileSync(ACCOUNTS, "utf8").replaceAll(
    /\$NATS_(\w+)_PASSWORD/g,
    (_, user: string) => `"${password(user.toLowerCase())}"`,
  );
  writeFileSync(join(folder, "accounts.conf"), accounts);
  server = await startSecuredNats(folder, `jetstream { store_dir: "${folder}/js" }\ninclude accounts.conf`);
  for (const user of USERS) {
    as[user] = await connectNats(`nats://${user}:${password(user)}@${server.at}`, user, 5_000);
  }
});
afterAll(async () => {
  await Promise.all(Object.values(as).map((connection) => connection.close()));
  await server?.stop();
  rmSync(folder, { recursive: true });
});

const publisher = (user: User) => new BatchPublisher(as[user], 2_000);
const manager = (user: User) => jetstreamManager(as[user], { timeout: 2_000 });
const read = async (user: User, durable?: typeof ARCHIVER) => {
  const feed = await PartitionFeed.open(as[user], {
    partition: 0,
    after: 0,
    maxBytes: 1 << 20,
    ...(durable && { durable }),
  });
  const batch = await feed.next(5_000);
  feed.ackThrough(batch!.seq);
  await as[user].flush();
  await feed.close();
  return Buffer.from(batch!.bytes).toString();
};

test("nobody enters without a password", async () => {
  await expect(connectNats(`nats://${server.at}`, "nobody", 2_000)).rejects.toThrow(/authorization/i);
});

test("each program does its work: streams, batches, reading, dead-lettering, taking out", async () => {
  await ensureStreams(as.ingest, 2, LIMITS);
  await publisher("ingest").publish(0, "one", BYTES);
  await publisher("ingest").reject(0, "CHECKSUM", "x", BYTES);
  expect(await read("aggregator")).toBe("batch");
  expect(await read("archiver", ARCHIVER)).toBe("batch");
  expect((await streamEnd(as.archiver, 0)).lastSeq).toBe(1);
  await publisher("aggregator").reject(0, "PROCESSING_FAILED", "x", BYTES);
  const deadLetters = await DeadLetterStream.open(as.replay);
  expect((await deadLetters.next(1))?.reason).toBe("CHECKSUM");
  await publisher("replay").publish(0, "two", BYTES);
  expect(await deadLetters.remove(1)).toBe(true);
  const overview = await overviewStreams(as.admin, {
    partitions: 2,
    limits: { ...LIMITS, maxBytes: 32 << 20 },
    apply: true,
  });
  expect(overview.map(({ applied }) => applied)).toEqual([expect.anything(), "updated", "updated"]);
  await overviewStreams(as.admin, { partitions: 3, limits: LIMITS, apply: true });
});

/** What each must not be able to do; all of it is refused. */
const FORBIDDEN: [User, string, () => Promise<unknown>][] = [
  ["ingest", "read a partition", () => read("ingest")],
  [
    "ingest",
    "look at a message",
    async () => (await manager("ingest")).streams.getMessage(eventsStream(0), { seq: 1 }),
  ],
  ["archiver", "publish events", () => publisher("archiver").publish(0, "x", BYTES)],
  ["archiver", "dead-letter batches", () => publisher("archiver").reject(0, "x", "x", BYTES)],
  ["archiver", "move the aggregator's position", () => read("archiver")],
  ["aggregator", "publish events", () => publisher("aggregator").publish(0, "x", BYTES)],
  ["aggregator", "move the archiver's position", () => read("aggregator", ARCHIVER)],
  ["replay", "read a partition", () => read("replay")],
  [
    "replay",
    "take out of a partition",
    async () => (await manager("replay")).streams.deleteMessage(eventsStream(0), 1),
  ],
  ["admin", "publish events", () => jetstream(as.admin, { timeout: 2_000 }).publish("events.0", BYTES)],
  ...USERS.flatMap((user): [User, string, () => Promise<unknown>][] => [
    [user, "delete a stream", async () => (await manager(user)).streams.delete(eventsStream(1))],
    [user, "empty a stream", async () => (await manager(user)).streams.purge(DEAD_LETTER_STREAM)],
  ]),
];

test.each(FORBIDDEN)("%s cannot %s", async (_user, _what, attempt) => {
  await expect(attempt()).rejects.toThrow(/permission|no responders|timeout|JetStream/i);
});

test.each(USERS)("%s cannot hear what is said to others, or what is published", async (user) => {
  const refusals: unknown[] = [];
  for (const subject of ["_INBOX_other.>", "_INBOX.>", ">", "events.>"]) {
    as[user].subscribe(subject, { callback: (error) => void refusals.push(error?.message) });
  }
  await as[user].flush();
  expect(refusals).toHaveLength(4);
  expect(refusals.every((message) => /permission/i.test(String(message)))).toBe(true);
});

test("nothing of it changed the streams", async () => {
  const { streams } = await manager("admin");
  expect((await streams.info(eventsStream(0))).state.messages).toBe(2);
  expect((await streams.info(DEAD_LETTER_STREAM)).state.messages).toBe(1);
});
