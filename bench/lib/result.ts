import { cpus, totalmem } from "node:os";
import type { Part } from "../query/part.ts";

/** What a benchmark found. */
export interface BenchResult {
  readonly bench: string;
  /** Events (or rows) a second. */
  readonly figure: number;
  readonly unit: string;
  /** figure divided by what it is measured against, in the same run. */
  readonly ratio: number;
  readonly against: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** How long and on what a benchmark runs. */
export interface BenchOptions {
  readonly seconds: number;
  /** What is loaded, for a benchmark of stored data; undefined: its own default. */
  readonly events?: number | undefined;
  readonly merchants?: number | undefined;
  readonly days?: number | undefined;
  readonly chunkDays?: number | undefined;
  /** Parts of `query` to be run; undefined: all. */
  readonly parts?: readonly Part[] | undefined;
  /** Page views of the one site that `query` loads besides. */
  readonly views?: number | undefined;
  /** The name under which what was loaded is kept, or of one that was kept. */
  readonly keep?: string | undefined;
  readonly loaded?: string | undefined;
  /** Progress and findings, for a person. */
  readonly say: (text: string) => void;
}

export type Bench = (options: BenchOptions) => Promise<BenchResult>;

/** The machine and the versions, in one line. */
export function machine(): string {
  const cores = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cores.length} x ${cores[0]?.model.trim() ?? "unknown CPU"}, ${memory} GiB, Node ${process.versions.node}, ${process.platform}`;
}

/** A rate as people read it: 12.3K, 4.56M. */
export function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (value >= 1e3) return `${(value / 1e3).toFixed(1)}K`;
  return value.toFixed(1);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
