import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../kit/database.ts";
import { ensureTestStreams, openTestNats, type TestNats } from "../kit/nats.ts";
import { PROTOCOL } from "./rules.ts";
import { eventsOf, initialState, members, READING, type World } from "./state.ts";
import { begin, commit, read, takeUp } from "./steps/aggregator.ts";
import { commands, expectSame, type Model } from "./testing/commands.ts";
import { PARTITIONS, Real } from "./testing/real.ts";

/** Events 0, 1 and 3 come with ids, and in several batches; batch 4 cannot be processed at first. */
const WORLD: World = {
  rules: PROTOCOL,
  requests: [0b000111, 0b000001, 0b001001, 0b011000, 0b000011, 0b100000],
  keyed: 0b001011,
  poison: 0b10000,
  collectors: 1,
  ingests: 1,
  aggregators: 2,
  spool: false,
  faults: 0,
};

/** Six batches to publish, three things that happen to all, eight that each aggregator does. */
const LETTERS = 6 + 3 + 2 * 8;

let database: TestDatabase;
let nats: TestNats;

beforeAll(async () => {
  [database, nats] = await Promise.all([openTestDatabase(PARTITIONS), openTestNats()]);
  await ensureTestStreams(await nats.connect(), PARTITIONS);
});

afterAll(() => Promise.all([nats?.close(), database?.close()]));

/** All that was published is read and committed. */
async function drain(model: Model, real: Real): Promise<void> {
  model.state = takeUp(model.world, { ...model.state, mended: 1 }, 0);
  await real.takeUp(0);
  while (model.state.next <= model.state.synced) {
    await real.read(0);
    model.state = read(model.state, 0);
  }
  const { phase, after, through } = model.state.aggregators[0]!;
  if (phase !== READING || through === after) return;
  await real.commit(0, 0);
  const begun = begin(model.world, model.state, 0);
  if (typeof begun === "string") throw new Error(begun);
  model.state = commit(model.world, begun, 0);
}

test("the code does what the model says, step by step, in any order", { timeout: 240_000 }, async () => {
  const servers = { pool: database.pool, nc: await nats.connect() };
  const taken = new Map<string, number>();
  const step = commands(WORLD, database.pool, (label) => taken.set(label, (taken.get(label) ?? 0) + 1));
  const property = fc.asyncProperty(
    fc.commands([step], { maxCommands: 60, size: "max" }),
    async (sequence) => {
      const real = await Real.begin(WORLD, servers);
      const model: Model = { world: WORLD, state: initialState(WORLD) };
      try {
        await fc.asyncModelRun(() => ({ model, real }), sequence);
        await drain(model, real);
        await expectSame(model, real);
        // At rest: every event of every batch that was published, apart from those that stay dead letters, once.
        const { stream, ledgerDeadLettered } = model.state;
        const published = stream.filter((batch) => ((ledgerDeadLettered >> batch) & 1) === 0);
        const events = new Set(published.flatMap((batch) => members(eventsOf(WORLD, batch))));
        const { rows, position } = await real.look();
        expect(rows).toEqual(rows.map((_, event) => (events.has(event) ? 1 : 0)));
        expect(position).toBe(stream.length);
      } finally {
        await real.end();
      }
    },
  );
  await fc.assert(property, { numRuns: 40, endOnFailure: true });
  console.table(Object.fromEntries([...taken].sort()));
  // Every letter of the alphabet was in it.
  expect(taken.size).toBe(LETTERS);
});
