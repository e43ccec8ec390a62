import { freePort } from "../../internal/embedded/free-port.ts";
import { type ProgramName, startProgram } from "../../internal/standalone/programs.ts";
import type { TestInstallation } from "./installation.ts";

/** A second process of a service, on ports of its own, at the same installation. */
export interface SecondProcess {
  readonly url: string;
  readonly opsUrl: string;
  readonly pid: number;
  /** Resolves with its exit code. */
  readonly exited: Promise<number | null>;
  stop(): Promise<void>;
}

/** Starts another process of a service; resolves when it is healthy. @param env changes to its settings. */
export async function startSecond(
  { env: shared }: TestInstallation,
  name: ProgramName,
  env: Readonly<Record<string, string>> = {},
): Promise<SecondProcess> {
  // A port that the settings name is kept: a process that was stopped can be started again.
  const portName = `FOOTFALL_${name.toUpperCase()}_PORT`;
  const [port, opsPort] = [Number(env[portName] ?? (await freePort())), await freePort()];
  // The aggregator serves nothing but its operators' port.
  const service = name === "aggregator" ? {} : { [portName]: String(port) };
  const settings = { ...shared, ...service, ...env };
  const child = await startProgram(name, opsPort, settings);
  return { ...child, url: `http://127.0.0.1:${port}`, opsUrl: `http://127.0.0.1:${opsPort}` };
}

/** Sends a signal to a part of an installation. @throws when the part is not running just now. */
export function signal({ pid }: TestInstallation, part: string, name: NodeJS.Signals): number {
  const id = pid(part);
  if (id === undefined) throw new Error(`${part} is not running`);
  process.kill(id, name);
  return id;
}
