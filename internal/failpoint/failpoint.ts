import { writeSync } from "node:fs";
import { FAILPOINTS, type Failpoint } from "./names.ts";

/** How often each armed failpoint is still to be passed before it kills; undefined in every ordinary process. */
let armed: Map<Failpoint, number> | undefined;

/** Kills the process, if this failpoint is armed and it is its turn. One comparison otherwise. */
export function failpoint(name: Failpoint): void {
  if (armed !== undefined) pass(name, armed);
}

/** Anything that tells of its end, such as a response. */
interface Emitter {
  once(event: "close", listener: () => void): unknown;
}

/** A failpoint that stands behind the end of something. Listens only in a process that has failpoints armed. */
export function failpointAtClose(name: Failpoint, emitter: Emitter): void {
  if (armed !== undefined) emitter.once("close", () => failpoint(name));
}

/** As configuration gives them. */
export interface FailpointSettings {
  /** `name[:nth][,name[:nth]...]`, empty for none; nth counts from 1, the default. */
  readonly failpoints?: string;
  readonly allowFailpoints?: boolean;
}

/**
 * Arms failpoints, for the whole life of the process.
 * @throws Error naming the setting, when they are not allowed, a name is unknown or a count is no whole number
 * above 0.
 */
export function armFailpoints({ failpoints = "", allowFailpoints = false }: FailpointSettings): void {
  if (failpoints === "") return;
  if (!allowFailpoints) {
    const allow = "FOOTFALL_ALLOW_FAILPOINTS (--allow-failpoints) is not true";
    throw new Error(`FOOTFALL_FAILPOINTS: ${failpoints} would kill this process, and ${allow}`);
  }
  armed = new Map(failpoints.split(",").map(parse));
}

function parse(text: string): [Failpoint, number] {
  const [, name, nth = "1"] = /^([^:]*)(?::(\d+))?$/.exec(text) ?? [];
  if (!FAILPOINTS.includes(name as Failpoint)) {
    throw new Error(`FOOTFALL_FAILPOINTS: ${text} is none of ${FAILPOINTS.join(", ")}, or its count is none`);
  }
  if (Number(nth) < 1) throw new Error(`FOOTFALL_FAILPOINTS: ${text} counts from 1`);
  return [name as Failpoint, Number(nth)];
}

function pass(name: Failpoint, counts: Map<Failpoint, number>): void {
  const left = counts.get(name);
  if (left === undefined) return;
  counts.set(name, left - 1);
  if (left !== 1) return;
  writeSync(2, `failpoint ${name}\n`);
  // Nothing is flushed, closed or said any more: what the kernel has is all that remains.
  process.kill(process.pid, "SIGKILL");
}
