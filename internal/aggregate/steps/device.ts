import { memo } from "../../cache/memo.ts";
import { cutAgent } from "../agents/cut.ts";
import { deviceOf } from "../agents/device.ts";
import { deriveOnce } from "./spread.ts";
import type { Step } from "./step.ts";

const CAPACITY = 20_000;

const remembered = memo(deviceOf, CAPACITY);

/** Browser, browser version, OS, its version and device type, from the user agent. */
export const device: Step = {
  name: "device",
  version: 3,
  run(batch, { device }) {
    deriveOnce(batch, batch.text("userAgent"), device, (agent) => remembered(cutAgent(agent)));
  },
};
