import type { CommandProgram } from "../../internal/config/commands.ts";
import { footfall } from "../../internal/config/programs/footfall.ts";
import type { Deps } from "./command.ts";
import { funnel } from "./funnel.ts";
import { metadata } from "./metadata.ts";
import { report } from "./report.ts";

/** The command line client with its commands, in the order of the help. */
export const FOOTFALL = { ...footfall, commands: [report, funnel, metadata] } satisfies CommandProgram<Deps>;
