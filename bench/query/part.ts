import type { BenchResult } from "../lib/result.ts";

/** Parts of the bench, each with a load and questions of its own. */
export const PARTS = ["mix", "month", "year", "site"] as const;

export type Part = (typeof PARTS)[number];

export interface PartOptions {
  /** Of a measurement of the mix; one question alone is asked for a fifth of it. */
  readonly seconds: number;
  readonly say: (text: string) => void;
}

/** What a part found. */
export type Found = Omit<BenchResult, "bench" | "details"> & { readonly details: object };

/** Of the seconds of a mix, those of one question. */
export const SHARE_OF_ONE = 0.2;
