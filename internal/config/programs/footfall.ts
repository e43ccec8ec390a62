import { address, integer, type Secret, text, withVariables } from "../setting.ts";

const readKey: Secret<string> = {
  env: "FOOTFALL_READ_KEY",
  description: "the merchant's read key, as ffr_...",
  schema: text(),
  secret: true,
};

/** What every command of the command line client takes; cmd/footfall has the commands, and what each is told besides. */
export const footfall = {
  name: "footfall",
  description: "Asks for a merchant's reports.",
  settings: withVariables("FOOTFALL", {
    url: {
      description: "address of the query service",
      schema: address("http", "https"),
      fallback: "http://127.0.0.1:4320",
    },
    readKey,
    timeoutMs: {
      description: "how long to wait for an answer, ms",
      schema: integer(1, 3_600_000),
      fallback: "30000",
    },
  }),
} as const;
