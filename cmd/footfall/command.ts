import type { Client } from "@connectrpc/connect";
import { z } from "zod";
import { defineCommand } from "../../internal/config/commands.ts";
import { optional, type Setting } from "../../internal/config/setting.ts";
import type { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";

/** What the commands work with. */
export type Deps = Client<typeof QueryService>;

export const command = defineCommand<Deps>();

const list = z.string().transform((text) => text.split(",").map((name) => name.trim()));

/** Names, parted by commas. */
export const names = (description: string): Setting<readonly string[]> => ({
  description: `${description}; parted by commas`,
  schema: list,
  isList: true,
});

/** The same, none by default. */
export const optionalNames = (description: string): Setting<readonly string[] | undefined> =>
  optional(names(description));
