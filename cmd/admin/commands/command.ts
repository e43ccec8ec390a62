import type { admin } from "../../../internal/config/programs/admin.ts";
import type { ConfigOf } from "../../../internal/config/setting.ts";
import type { Pool } from "../../../internal/store/pool.ts";

export type Config = ConfigOf<typeof admin.settings>;

/** Does what an operator asked for; @returns what is printed. */
export type Command = (pool: Pool, config: Config) => Promise<unknown>;
