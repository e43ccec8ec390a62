import { integer, optionalText, withVariables, yesNo } from "../setting.ts";

export const chaos = {
  name: "chaos",
  description:
    "Starts a whole Footfall of many processes, lets processes, lines, brokers and clocks fail under load, round by round, and compares what was acked with what is stored and reported, event by event.",
  settings: withVariables("FOOTFALL_CHAOS", {
    rounds: {
      description: "how many rounds",
      schema: integer(1, 1_000_000),
      fallback: "20",
    },
    seed: {
      description: "same seed, same faults and traffic in each round",
      schema: integer(0, 2 ** 32),
      fallback: "1",
    },
    onlyRound: {
      description: "run only the round of this number; 0: all",
      schema: integer(0, 1_000_000),
      fallback: "0",
    },
    rate: {
      description: "new events a second",
      schema: integer(1, 100_000),
      fallback: "400",
    },
    logsDir: {
      description: "folder for the logs of all parts; none: a temporary one, when a round fails",
      schema: optionalText(),
      fallback: "",
    },
    json: {
      description: "print the result as one JSON object in the last line",
      schema: yesNo(),
      fallback: "false",
      isSwitch: true,
    },
  }),
} as const;
