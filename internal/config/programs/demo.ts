import { integer, optionalText, text, withVariables, yesNo } from "../setting.ts";
import { outside } from "./standalone.ts";

export const demo = {
  name: "demo",
  description:
    "Starts a whole Footfall in a temporary folder, sends simulated shops' traffic (or an access log) through it, shows the reports and checks the accounting.",
  settings: withVariables("FOOTFALL_DEMO", {
    ...outside,
    events: {
      description: "how many events to simulate",
      schema: integer(1, 100_000_000),
      fallback: "20000",
    },
    merchants: {
      description: "how many shops to simulate",
      schema: integer(1, 100),
      fallback: "3",
    },
    seed: {
      description: "same seed, same shops, visitors and behaviour",
      schema: integer(0, 2 ** 32),
      fallback: "1",
    },
    accessLog: {
      description: "send this access log instead of simulated traffic",
      schema: optionalText(),
      fallback: "",
    },
    accessLogSite: {
      description: "address of the log's site",
      schema: text(),
      fallback: "http://localhost",
    },
    exit: {
      description: "stop everything when the result is shown, instead of running until Ctrl-C",
      schema: yesNo(),
      fallback: "false",
      isSwitch: true,
    },
    json: {
      description: "print the accounting as one JSON object in the last line",
      schema: yesNo(),
      fallback: "false",
      isSwitch: true,
    },
  }),
} as const;
