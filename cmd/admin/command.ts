import { defineCommand } from "../../internal/config/commands.ts";
import { date, integer, type Setting } from "../../internal/config/setting.ts";
import type { Pool } from "../../internal/store/pool.ts";

/** A command of admin; it works with the database. */
export const command = defineCommand<Pool>();

const MAX_ID = 2_147_483_647;

/** The id of something, as `what` says. */
export const id = (what: string): Setting<number> => ({ description: what, schema: integer(1, MAX_ID) });

export const merchant = id("the merchant's id; `merchants list` shows them");

/** A UTC day. @param which "first". @param absent what it is without the flag. */
export const day = (which: string, absent?: string): Setting<string> => ({
  description: `${which} UTC day, as YYYY-MM-DD${absent === undefined ? "" : `; absent: ${absent}`}`,
  schema: date(),
});
