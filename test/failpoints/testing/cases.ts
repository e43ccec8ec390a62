import { BOUNDARIES, type Boundary, FAILPOINTS, type Failpoint } from "../../../internal/failpoint/names.ts";

export const programOf = (failpoint: Failpoint) => BOUNDARIES[failpoint.split(".")[0] as Boundary];

/** The failpoints of the write path. */
export const WRITE_PATH = FAILPOINTS.filter((failpoint) => programOf(failpoint) !== "archiver");

/** One crash, or two: the second behind the restart from the first, or, in another program, both armed at once. */
export type Case = readonly [Failpoint, Failpoint?];

export const SINGLES: readonly Case[] = WRITE_PATH.map((failpoint) => [failpoint]);

/** Within a program every ordered pair, a point with itself included; across programs every pair once. */
export const PAIRS: readonly Case[] = WRITE_PATH.flatMap((first, at) =>
  WRITE_PATH.filter((second, other) => programOf(first) === programOf(second) || other > at).map(
    (second): Case => [first, second],
  ),
);

/** Parts that the pairs are cut into, of which the test suite takes one a day. */
export const PARTS = 20;

/** One part of the pairs; those of PARTS seeds in a row are all. */
export const partOfPairs = (seed: number): Case[] => PAIRS.filter((_, at) => (at + seed) % PARTS === 0);
