import { findPostgres } from "../kit/debian-programs.ts";
import { ForgetfulDisk, missingForDisk } from "./disk/forgetful-disk.ts";
import type { NameRule } from "./disk/names.ts";
import type { Part } from "./part.ts";
import { NatsPart } from "./parts/nats.ts";
import { POSTGRES_USER, PostgresPart } from "./parts/postgres.ts";
import { SpoolPart } from "./parts/spool.ts";
import { type Round, type RoundsOptions, runRounds } from "./rounds.ts";

/** What can be tried; `nats-default` is the control, which must lose something. */
export const PARTS = ["spool", "nats", "postgres", "nats-default"] as const;
export type PartName = (typeof PARTS)[number];

/** Why a part cannot be tried here; undefined when it can. */
export async function missingFor(part: PartName): Promise<string | undefined> {
  const missing = missingForDisk();
  if (missing !== undefined || part !== "postgres" || (await findPostgres()) !== undefined) return missing;
  return "PostgreSQL is neither installed nor to be had from Debian";
}

export interface PowerLossOptions extends RoundsOptions {
  readonly part: PartName;
  /** Default: the strictest rule that the part can live with. */
  readonly names?: NameRule | undefined;
  /** Share of the writes that are durable without an fsync, 0 to 1. Default: 0. */
  readonly writtenBack?: number;
}

/** Tries a part. @throws where that cannot be done: see missingFor. */
export async function runPowerLoss(options: PowerLossOptions): Promise<Round[]> {
  const { part, names = NAMES[part], writtenBack = 0, seed } = options;
  const missing = await missingFor(part);
  if (missing !== undefined) throw new Error(missing);
  const owner = part === "postgres" ? POSTGRES_USER : 0;
  const disk = await ForgetfulDisk.open({ names, owner, writtenBack, seed });
  return runRounds(await partOn(disk.path, part), disk, options);
}

/** nats-server fsyncs its files and not their folders, as file systems with a journal let it. */
const NAMES = { spool: "strict", nats: "journal", postgres: "strict", "nats-default": "journal" } as const;

async function partOn(folder: string, part: PartName): Promise<Part> {
  if (part === "spool") return new SpoolPart(folder);
  if (part === "postgres") return new PostgresPart((await findPostgres())!, folder);
  return new NatsPart(folder, part === "nats" ? "always" : "2m");
}

/** Whether what was found is what must be: nothing lost or doubled, or, of the control, something lost. */
export function isAsPromised(part: PartName, rounds: readonly Round[]): boolean {
  const lost = rounds.reduce((sum, round) => sum + round.lost, 0);
  const doubled = rounds.reduce((sum, round) => sum + round.doubled, 0);
  return part === "nats-default" ? lost > 0 : lost + doubled === 0;
}
