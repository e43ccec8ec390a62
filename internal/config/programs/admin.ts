import { databaseUrl } from "./shared.ts";

/** What every command of admin takes; cmd/admin has the commands, and what each is told besides. */
export const admin = {
  name: "admin",
  description: "Administration: merchants with their API keys and goals, schema, streams, archive, erasure.",
  settings: { databaseUrl },
} as const;
