import { databaseUrl, natsSettings } from "./shared.ts";

/** What every command of replay takes; cmd/replay has the commands, and what each is told besides. */
export const replay = {
  name: "replay",
  description: "Processing again: the batches that were refused.",
  settings: { databaseUrl, ...natsSettings },
} as const;
