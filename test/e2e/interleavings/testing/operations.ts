import fc from "fast-check";

/** Chunks are at most so long. */
export const MAX_CHUNK_DAYS = 14;

/** An event as it is drawn: what it is, and how long before the present. */
export interface Draft {
  readonly merchant: number;
  readonly days: number;
  readonly minutes: number;
  readonly visitor: number;
  readonly session: number | undefined;
  readonly name: string;
  readonly path: string;
  readonly country: string | null;
  readonly channel: string | null;
  readonly isBot: boolean;
  readonly order: {
    readonly number: number;
    readonly isRefund: boolean;
    readonly amount: number | null;
  } | null;
  readonly items: number;
}

/** What the aggregator, its refresher and its maintainer do, each one call of the store. */
export type Operation =
  | { readonly do: "commit"; readonly events: readonly Draft[] }
  /** Events that were sent before, again: nth counts back from the newest. */
  | { readonly do: "resend"; readonly nth: readonly number[] }
  | { readonly do: "refresh" }
  /** Chunks that ended so many days ago go to the columnstore. */
  | { readonly do: "convert"; readonly days: number }
  | { readonly do: "expire" }
  | { readonly do: "pass"; readonly days: number }
  /** New chunks are so long from now on. */
  | { readonly do: "chunks"; readonly days: number }
  /** `inner` happens before the nth statement of `outer`. */
  | { readonly do: "during"; readonly outer: Operation; readonly nth: number; readonly inner: Operation }
  /** The process dies before the nth statement of `outer`. */
  | { readonly do: "crash"; readonly outer: Operation; readonly nth: number };

const order = fc.record({
  number: fc.nat(3),
  isRefund: fc.boolean(),
  amount: fc.option(fc.nat(10_000_000)),
});

const draft: fc.Arbitrary<Draft> = fc.record({
  merchant: fc.nat(2),
  // About the ends of the retentions and of chunks, and at the present.
  days: fc.constantFrom(0, 0, 1, 2, 6, 7, 8, 13, 20, 27, 28, 29, 45, 57, 58, 59, 75, 83, 88, 89),
  minutes: fc.nat(180),
  visitor: fc.nat(2),
  session: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 2 }),
  name: fc.constantFrom("page_view", "click"),
  path: fc.constantFrom("/", "/a", "/b"),
  country: fc.constantFrom(null, "DE", "FR"),
  channel: fc.constantFrom(null, "Direct", "Organic Search"),
  isBot: fc.nat(4).map((n) => n === 4),
  order: fc.option(order, { freq: 2 }),
  items: fc.nat(2),
});

const commit = fc.record({
  do: fc.constant("commit" as const),
  events: fc.array(draft, { minLength: 1, maxLength: 8 }),
});
const resend = fc.record({
  do: fc.constant("resend" as const),
  nth: fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }),
});
const refresh = fc.constant({ do: "refresh" as const });
const convert = fc.record({ do: fc.constant("convert" as const), days: fc.constantFrom(0, 3, 20) });
const expire = fc.constant({ do: "expire" as const });
const pass = fc.record({ do: fc.constant("pass" as const), days: fc.constantFrom(1, 2, 8, 30, 45) });

const chunks = fc.record({ do: fc.constant("chunks" as const), days: fc.constantFrom(1, 7, MAX_CHUNK_DAYS) });

/** Refresher, maintainer and workers run beside one another; each of them does one thing at a time. */
const during = (outer: fc.Arbitrary<Operation>, inner: fc.Arbitrary<Operation>) =>
  fc.record({ do: fc.constant("during" as const), outer, nth: fc.nat(9), inner });

const crash = fc.record({
  do: fc.constant("crash" as const),
  outer: fc.oneof(refresh, convert, expire),
  nth: fc.nat(9),
});

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { arbitrary: commit, weight: 8 },
  { arbitrary: resend, weight: 1 },
  { arbitrary: refresh, weight: 4 },
  { arbitrary: convert, weight: 3 },
  { arbitrary: expire, weight: 2 },
  { arbitrary: pass, weight: 3 },
  { arbitrary: chunks, weight: 1 },
  { arbitrary: during(refresh, fc.oneof(commit, resend, convert, expire)), weight: 2 },
  { arbitrary: during(fc.oneof(convert, expire), fc.oneof(commit, resend, refresh)), weight: 2 },
  { arbitrary: crash, weight: 1 },
);

/** Something is there before the rest begins. */
export const operations: fc.Arbitrary<Operation[]> = fc
  .tuple(commit, fc.array(operation, { minLength: 6, maxLength: 16, size: "max" }))
  .map(([first, rest]) => [first, ...rest]);
