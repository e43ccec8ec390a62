import fc from "fast-check";
import { expect } from "vitest";
import type { Pool } from "../../../internal/store/pool.ts";
import { FencedError } from "../../../internal/store/write-batches.ts";
import { dyingAfter, dyingAt } from "../../kit/dying-pool.ts";
import { eventCount } from "../invariants.ts";
import { AWAY, away, batchesIn, COMMITTED, READING, rowsOf, type State, type World } from "../state.ts";
import { ack, begin, commit, die, read, takeUp } from "../steps/aggregator.ts";
import { publish } from "../steps/ingest.ts";
import type { Real } from "./real.ts";

/** The model's state, moved on command by command. */
export interface Model {
  readonly world: World;
  state: State;
}

/** One thing that can happen: when it may, and how it is taken by the model and in reality. */
interface Action {
  readonly label: string;
  readonly check: (model: Model) => boolean;
  readonly run: (model: Model, real: Real) => Promise<void>;
}

const action = (label: string, check: Action["check"], run: Action["run"]): Action => ({ label, check, run });

/** What the database and JetStream hold is what the model expects. */
export async function expectSame({ world, state }: Model, real: Real): Promise<void> {
  const { position, ledger, ledgerDeadLettered } = state;
  const rows = Array.from({ length: eventCount(world) }, (_, event) => rowsOf(state, event));
  expect(await real.look()).toEqual({ position, ledger, ledgerDeadLettered, rows });
  // JetStream takes an ack when it comes to it, and may leave one out that a former owner's ack of the same consumer
  // number came before; but nothing is acked that is not committed.
  expect((await real.floor()) ?? 0).toBeLessThanOrEqual(position);
}

const BATCHES_IN_STREAM = 7;

function publishing(batch: number): Action {
  return action(
    `publish batch ${batch}`,
    ({ state }) => state.stream.length < BATCHES_IN_STREAM,
    async (model, real) => {
      const published = publish(model.state, batch);
      model.state = { ...published, synced: published.stream.length };
      expect(await real.publish(batch)).toBe(model.state.stream.lastIndexOf(batch) + 1);
    },
  );
}

const windowEnds = action(
  "the duplicate window ends",
  ({ state }) => state.window !== 0,
  async (model, real) => {
    model.state = { ...model.state, window: 0 };
    real.endWindow();
  },
);

const mended = action(
  "the processing is mended",
  ({ state }) => state.ledgerDeadLettered !== 0 && !state.mended,
  async (model) => {
    model.state = { ...model.state, mended: 1 };
  },
);

const redelivered = action(
  "JetStream delivers again",
  ({ state }) => state.owner !== -1 && state.floor < state.next - 1,
  (_model, real) => real.redeliver(),
);

const phaseOf = ({ state }: Model, at: number) => state.aggregators[at]!.phase;
const hasBatches = ({ state }: Model, at: number) =>
  state.aggregators[at]!.phase === READING && state.aggregators[at]!.through > state.aggregators[at]!.after;

function takingUp(at: number): Action {
  return action(
    `aggregator ${at} takes the partition up`,
    (model) => phaseOf(model, at) === AWAY,
    async (model, real) => {
      model.state = takeUp(model.world, model.state, at);
      expect(await real.takeUp(at)).toBe(model.state.position);
    },
  );
}

function reading(at: number): Action {
  return action(
    `aggregator ${at} reads`,
    (model) =>
      phaseOf(model, at) === READING && model.state.owner === at && model.state.next <= model.state.synced,
    async (model, real) => {
      const seq = model.state.next;
      expect(await real.read(at)).toEqual({ seq, batch: model.state.stream[seq - 1] });
      model.state = read(model.state, at);
    },
  );
}

function losingFeed(at: number): Action {
  return action(
    `aggregator ${at} sees that its feed ended`,
    (model) => phaseOf(model, at) === READING && model.state.owner !== at,
    async (model, real) => {
      expect(await real.seesFeedEnd(at)).toMatch(/the feed ended|consumer deleted/);
      await real.drop(at);
      model.state = away(model.state, at);
    },
  );
}

/** How a commit goes: well, or with the death of the program before or after the database has committed. */
type Way = "commits" | "dies before the commit" | "dies after the commit";

function committing(at: number, way: Way, pool: Pool): Action {
  const through = {
    commits: pool,
    "dies before the commit": dyingAt(pool, "COMMIT"),
    "dies after the commit": undefined,
  }[way];
  return action(
    `aggregator ${at} ${way}`,
    (model) => hasBatches(model, at),
    async (model, real) => {
      const { world, state } = model;
      // Whether a batch can be processed is decided as it is read; dead-lettered it is by then.
      const { after, through: last } = state.aggregators[at]!;
      const poison = state.mended ? 0 : world.poison & batchesIn(state, after + 1, last);
      const begun = begin(world, { ...state, deadLettered: state.deadLettered | poison }, at);
      const done = real.commit(at, poison, through ?? dyingAfter(pool, "COMMIT"));
      if (begun === "fenced") {
        await expect(done).rejects.toThrow(FencedError);
        await real.drop(at);
        model.state = away(state, at);
        return;
      }
      if (begun === "waits") throw new Error("no other transaction is open");
      if (way === "dies before the commit") await expect(done).rejects.toThrow();
      else await done.catch((error) => way === "commits" && Promise.reject(error));
      const committed = way === "dies before the commit" ? begun : commit(world, begun, at);
      model.state = way === "commits" ? committed : die(committed, at);
      if (way !== "commits") await real.drop(at);
    },
  );
}

function acking(at: number): Action {
  return action(
    `aggregator ${at} acks`,
    (model) => phaseOf(model, at) === COMMITTED,
    async (model, real) => {
      const { owner, aggregators } = model.state;
      await real.ack(at);
      // Whether the consumer of another owner takes it is JetStream's affair.
      const counts = owner === at || (await real.floor()) === aggregators[at]!.through;
      model.state = ack(model.state, at, counts);
    },
  );
}

function dying(at: number): Action {
  return action(
    `aggregator ${at} dies`,
    (model) => phaseOf(model, at) !== AWAY,
    async (model, real) => {
      await real.drop(at);
      model.state = die(model.state, at);
    },
  );
}

/** The alphabet; what stands in it twice is taken twice as often. */
function alphabet(world: World, pool: Pool): Action[] {
  const publishes = world.requests.map((_, batch) => publishing(batch));
  const ofAggregator = (at: number) => [
    takingUp(at),
    ...[reading(at), reading(at), reading(at)],
    ...[losingFeed(at), losingFeed(at)],
    ...Array.from({ length: 4 }, () => committing(at, "commits", pool)),
    committing(at, "dies before the commit", pool),
    committing(at, "dies after the commit", pool),
    ...Array.from({ length: 4 }, () => acking(at)),
    dying(at),
  ];
  return [...publishes, windowEnds, mended, redelivered, ...ofAggregator(0), ...ofAggregator(1)];
}

/**
 * Commands that each take one of the actions that are possible just then.
 * @param onTaken told what was taken.
 */
export function commands(
  world: World,
  pool: Pool,
  onTaken: (label: string) => void,
): fc.Arbitrary<fc.AsyncCommand<Model, Real>> {
  const actions = alphabet(world, pool);
  return fc.nat().map((choice) => {
    let taken = "not taken";
    return {
      check: () => true,
      toString: () => taken,
      async run(model, real) {
        const possible = actions.filter(({ check }) => check(model));
        const { label, run } = possible[choice % possible.length]!;
        taken = label;
        onTaken(label);
        await run(model, real);
        await expectSame(model, real);
      },
    };
  });
}
