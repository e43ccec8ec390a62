import type { ProgramName } from "../../internal/standalone/programs.ts";

/** The processes of the installation that is tried, and how many of each. */
const COUNTS = { nats: 3, timescale: 1, ingest: 2, aggregator: 2, query: 1, collector: 2 } as const;

export type PartKind = keyof typeof COUNTS;

/** Partitions of the installation. */
export const PARTITIONS = 4;

/** The names of the processes of a kind: ingest-1, ingest-2. */
export function partsOfKind(kind: PartKind): string[] {
  return Array.from({ length: COUNTS[kind] }, (_, i) => `${kind}-${i + 1}`);
}

const KINDS = Object.keys(COUNTS) as PartKind[];

/** All processes. What a process needs to start comes before it. */
export const PARTS: readonly string[] = KINDS.flatMap(partsOfKind);

/** The programs between an SDK and its reports; the archiver stands beside them. */
export type WritePathProgram = Exclude<ProgramName, "archiver">;

/** The processes that run Footfall's own code. */
export const PROGRAMS: readonly WritePathProgram[] = ["ingest", "aggregator", "query", "collector"];

/** From which kind of client to which kind of server there are lines. */
const LINES: readonly (readonly [from: PartKind | "sdk", to: PartKind])[] = [
  ["sdk", "collector"],
  ["collector", "ingest"],
  ["ingest", "nats"],
  ["ingest", "timescale"],
  ["aggregator", "nats"],
  ["aggregator", "timescale"],
  ["query", "timescale"],
];

/** A line from a client to a server, with a proxy in it; named such as "ingest-1>nats-3". */
export interface Line {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

const line = (from: string, to: string): Line => ({ name: `${from}>${to}`, from, to });

/** All lines. All SDKs share one to each collector, and all brokers one to each broker. */
export const ALL_LINES: readonly Line[] = [
  ...LINES.flatMap(([from, to]) =>
    (from === "sdk" ? ["sdk"] : partsOfKind(from)).flatMap((client) =>
      partsOfKind(to).map((server) => line(client, server)),
    ),
  ),
  ...partsOfKind("nats").map((server) => line("nats", server)),
];

/** All lines from a part to the parts of a kind, written "ingest-1>nats". */
const BUNDLES: readonly string[] = [...new Set(ALL_LINES.map(({ name }) => bundleOf(name)))];

/**
 * What a fault of lines can strike, and by how often it is named, how likely: one line, or all of a bundle, which is
 * sure to be in use.
 */
export const LINE_TARGETS: readonly string[] = [
  ...BUNDLES,
  ...BUNDLES,
  ...BUNDLES,
  ...ALL_LINES.map(({ name }) => name),
];

/** The lines that a target names. */
export function linesOfTarget(target: string): Line[] {
  return ALL_LINES.filter(({ name }) => name === target || bundleOf(name) === target);
}

function bundleOf(line: string): string {
  return line.replace(/-\d+$/, "");
}

/** The kind of a part: "ingest" of "ingest-2". */
export function kindOf(part: string): PartKind {
  return part.replace(/-\d+$/, "") as PartKind;
}
