import type { Program } from "../read-config.ts";
import { fileVariable, isSecret, type Settings } from "../setting.ts";
import { admin } from "./admin.ts";
import { aggregator } from "./aggregator.ts";
import { archiver } from "./archiver.ts";
import { chaos } from "./chaos.ts";
import { collector } from "./collector.ts";
import { demo } from "./demo.ts";
import { footfall } from "./footfall.ts";
import { ingest } from "./ingest.ts";
import { powerLoss } from "./power-loss.ts";
import { query } from "./query.ts";
import { replay } from "./replay.ts";
import { simulate } from "./simulate.ts";
import { standalone } from "./standalone.ts";

/** Every program that has settings; docs/configuration.md is made from it. */
export const PROGRAMS: readonly Program<Settings>[] = [
  collector,
  ingest,
  aggregator,
  archiver,
  query,
  admin,
  replay,
  footfall,
  standalone,
  demo,
  simulate,
  chaos,
  powerLoss,
];

/** Variables that are not settings of a program, but no typing errors either. */
const OTHERS = ["FOOTFALL_TEST_DATABASE_URL", "FOOTFALL_TEST_FAILPOINTS", "FOOTFALL_TEST_NATS_URL"];

/** Every FOOTFALL_* variable that means something. */
export const KNOWN_VARIABLES: ReadonlySet<string> = new Set([
  ...PROGRAMS.flatMap(({ settings }) =>
    Object.values(settings).flatMap((one) => [one.env ?? [], isSecret(one) ? fileVariable(one) : []].flat()),
  ),
  ...OTHERS,
]);
