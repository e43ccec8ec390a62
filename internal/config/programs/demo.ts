import { integer, optionalText, text, yesNo } from "../setting.ts";
import { outside } from "./standalone.ts";

export const demo = {
  name: "demo",
  description:
    "Starts a whole Footfall in a temporary folder, sends simulated shops' traffic (or an access log) through it, shows the reports and checks the accounting.",
  settings: {
    ...outside,
    events: {
      env: "FOOTFALL_DEMO_EVENTS",
      description: "how many events to simulate",
      schema: integer(1, 100_000_000),
      fallback: "20000",
    },
    merchants: {
      env: "FOOTFALL_DEMO_MERCHANTS",
      description: "how many shops to simulate",
      schema: integer(1, 100),
      fallback: "3",
    },
    seed: {
      env: "FOOTFALL_DEMO_SEED",
      description: "same seed, same shops, visitors and behaviour",
      schema: integer(0, 2 ** 32),
      fallback: "1",
    },
    accessLog: {
      env: "FOOTFALL_DEMO_ACCESS_LOG",
      description: "send this access log instead of simulated traffic",
      schema: optionalText(),
      fallback: "",
    },
    accessLogSite: {
      env: "FOOTFALL_DEMO_ACCESS_LOG_SITE",
      description: "address of the log's site",
      schema: text(),
      fallback: "http://localhost",
    },
    exit: {
      env: "FOOTFALL_DEMO_EXIT",
      description: "stop everything when the result is shown, instead of running until Ctrl-C",
      schema: yesNo(),
      fallback: "false",
      isSwitch: true,
    },
    json: {
      env: "FOOTFALL_DEMO_JSON",
      description: "print the accounting as one JSON object in the last line",
      schema: yesNo(),
      fallback: "false",
      isSwitch: true,
    },
  },
} as const;
