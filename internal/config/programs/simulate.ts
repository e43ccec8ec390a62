import type { Program } from "../read-config.ts";
import { address, integer, optionalText, type Setting, withVariables, yesNo } from "../setting.ts";

function setting<T>(description: string, schema: Setting<T>["schema"], fallback: string) {
  return { description, schema, fallback } satisfies Setting<T>;
}

const settings = withVariables("FOOTFALL_SIMULATE", {
  target: setting("Collector to send to", address("http", "https"), "http://127.0.0.1:4317"),
  // Write keys stand in shops' pages: they are no secrets.
  writeKeys: setting("Write keys, one for each merchant, with commas", optionalText(), ""),
  writeKeysFile: setting("File of write keys, one a line", optionalText(), ""),
  events: setting("Events to send; 0: until stopped", integer(0, 1e12), "10000"),
  rate: setting("Events per second; 0: as fast as possible", integer(0, 1e8), "0"),
  seed: setting("Same seed, same shops, visitors and behaviour", integer(0, 2 ** 32), "1"),
  merchants: setting("Merchants; 0: one for each write key", integer(0, 1_000_000), "0"),
  batch: setting("Events of a request at most", integer(1, 1_000), "500"),
  inFlight: setting("Requests waiting for an answer at most", integer(1, 10_000), "16"),
  historyDays: setting("Spread the events over so many days until now; 0: live", integer(0, 3_660), "0"),
  giveUpSeconds: setting("Give a request up after so long", integer(1, 86_400), "60"),
  json: {
    ...setting("Print the summary as one line of JSON", yesNo(), "false"),
    isSwitch: true,
  },
});

/** The load client as a program: its name and settings. */
export const simulate = {
  name: "simulate",
  description: "Sends the traffic of simulated shops to a collector, and counts the answers.",
  settings,
} satisfies Program<typeof settings>;
