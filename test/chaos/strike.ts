import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { stepDownLeader } from "../../internal/embedded/nats/leader.ts";
import { type NetworkFault, NO_FAULT } from "../kit/network-fault.ts";
import { clockFile } from "./launch.ts";
import type { Part } from "./part.ts";
import type { Fault } from "./planner.ts";
import type { System } from "./system.ts";
import { linesOfTarget } from "./topology.ts";

/** How long to wait for brokers to elect a new leader, which they cannot while most of them are away; ms. */
const ELECTION_MS = 3_000;

/**
 * Lets a fault happen: waits for its time, strikes, and lifts it when it is over. What cannot be brought back now,
 * because another fault is in the way, is left to the recovery at the end of the round.
 */
export async function strike(system: System, fault: Fault, signal: AbortSignal): Promise<void> {
  await sleep(fault.atMs, undefined, { signal });
  const lift = await begin(system, fault);
  await sleep(fault.forMs, undefined, { signal });
  await lift();
}

type Lift = () => Promise<void> | void;

async function begin(system: System, fault: Fault): Promise<Lift> {
  const { kind, target, amount } = fault;
  const part = system.parts.get(target);
  switch (kind) {
    case "kill":
      await part!.kill();
      return () => part!.start().catch(() => {});
    case "stop":
      part!.signal("SIGSTOP");
      return () => part!.signal("SIGCONT");
    case "restart":
      await part!.restart().catch(() => {});
      return () => {};
    case "clock":
      await setClock(system, part!, amount);
      return () => setClock(system, part!, 0);
    case "new leader":
      await stepDownLeader(system.nats, target, ELECTION_MS).catch(() => {});
      return () => {};
    case "full disk":
      return fillDisk(system, part!);
    default:
      return injectFault(system, target, networkFaultOf(fault));
  }
}

/** A collector that cannot reach ingest, and cannot write to its spool either. */
async function fillDisk(system: System, part: Part): Promise<Lift> {
  const clear = injectFault(system, `${part.name}>ingest`, { kind: "cut" });
  await limitFiles(part, "1");
  return async () => {
    await limitFiles(part, "unlimited");
    await clear();
  };
}

/** Makes a running process fail when it writes behind so many bytes of a file: util-linux, as startChild has it. */
async function limitFiles({ pid }: Part, bytes: string): Promise<void> {
  if (pid === undefined) return;
  await promisify(execFile)("prlimit", ["--pid", String(pid), `--fsize=${bytes}:unlimited`]);
}

async function setClock({ dataDir }: System, part: Part, shiftMs: number): Promise<void> {
  await writeFile(clockFile(dataDir, part.name), String(shiftMs));
  part.signal("SIGUSR2");
}

function injectFault(system: System, target: string, fault: NetworkFault): Lift {
  const proxies = linesOfTarget(target).map(({ name }) => system.lines.get(name)!);
  for (const proxy of proxies) proxy.meet(fault);
  return () => {
    for (const proxy of proxies) proxy.meet(NO_FAULT);
  };
}

function networkFaultOf({ kind, amount }: Fault): NetworkFault {
  switch (kind) {
    case "cut":
    case "stall":
    case "lose answers":
      return { kind };
    case "delay":
      return { kind, ms: amount };
    case "truncate":
      return { kind, bytes: amount };
    default:
      throw new Error(`${kind} is no network fault`);
  }
}
