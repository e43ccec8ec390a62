#!/usr/bin/env node
import { queryClient } from "../../internal/client/ask/ask.ts";
import { runCommand } from "../../internal/program/run-command.ts";
import { FOOTFALL } from "./commands.ts";

await runCommand(FOOTFALL, async ({ url, readKey, timeoutMs }) =>
  queryClient({ url, readKey: readKey(), timeoutMs }),
);
