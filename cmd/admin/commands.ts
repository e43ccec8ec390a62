import type { CommandProgram } from "../../internal/config/commands.ts";
import { admin } from "../../internal/config/programs/admin.ts";
import type { Pool } from "../../internal/store/pool.ts";
import { AGGREGATE_COMMANDS } from "./commands/aggregates.ts";
import { ARCHIVE_COMMANDS } from "./commands/archive.ts";
import { ERASURE_COMMANDS } from "./commands/erasures.ts";
import { GOAL_COMMANDS } from "./commands/goals.ts";
import { KEY_COMMANDS } from "./commands/keys.ts";
import { MERCHANT_COMMANDS } from "./commands/merchants.ts";
import { RATE_COMMANDS } from "./commands/rates.ts";
import { ROLLUP_COMMANDS } from "./commands/rollups.ts";
import { SCHEMA_COMMANDS } from "./commands/schema.ts";
import { SPOOL_COMMANDS } from "./commands/spools.ts";
import { STORAGE_COMMANDS } from "./commands/storage.ts";
import { STREAM_COMMANDS } from "./commands/streams.ts";

/** Admin with its commands, in the order of the help. */
export const ADMIN = {
  ...admin,
  commands: [
    ...SCHEMA_COMMANDS,
    ...MERCHANT_COMMANDS,
    ...KEY_COMMANDS,
    ...GOAL_COMMANDS,
    ...RATE_COMMANDS,
    ...STREAM_COMMANDS,
    ...SPOOL_COMMANDS,
    ...STORAGE_COMMANDS,
    ...AGGREGATE_COMMANDS,
    ...ROLLUP_COMMANDS,
    ...ARCHIVE_COMMANDS,
    ...ERASURE_COMMANDS,
  ],
} satisfies CommandProgram<Pool>;
