import { Files } from "../../internal/config/changing-file.ts";
import type { Program } from "../../internal/config/read-config.ts";
import { readConfig } from "../../internal/config/read-config.ts";
import { type ConfigOf, flagOf, isSecret, type Settings } from "../../internal/config/setting.ts";
import { Closers } from "../../internal/lifecycle/closers.ts";
import type { Service } from "../../internal/program/run-service.ts";
import { HealthState } from "../../internal/rpc/health.ts";
import { createLogger } from "../../internal/telemetry/logger.ts";
import { createRegistry, type Registry } from "../../internal/telemetry/metrics.ts";

/** A program that runs inside of the test's process. */
export interface TestService {
  readonly registry: Registry;
  /** Stops it as a signal would; rejects when a closer failed or took longer than 20 s. May be called again. */
  stop(): Promise<void>;
}

/** Starts a program's own wiring with settings by the names of their flags, secrets too; the log is silent. */
export async function startTestService<S extends Settings>(
  program: Program<S>,
  start: (service: Service<S>) => Promise<void>,
  flags: Readonly<Record<string, string>>,
): Promise<TestService> {
  const { argv, env } = argumentsOf(program, flags);
  const files = new Files();
  const config: ConfigOf<S> = readConfig(program, argv, env, new Set(Object.keys(env)), files);
  const closers = new Closers();
  const stopping = new AbortController();
  const registry = createRegistry(program.name);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopping.abort();
    stopped ??= closers.closeAll(20_000);
    return stopped;
  };
  const life = {
    stopping: stopping.signal,
    onClose: (name: string, close: () => Promise<void> | void) => closers.add(name, close),
    stop: () => void stop(),
  };
  try {
    const log = createLogger(program.name, "silent");
    await start({ config, log, registry, life, health: new HealthState([]), files });
  } catch (error) {
    await stop();
    throw error;
  }
  return { registry, stop };
}

/** Settings by the names of their flags as a program takes them: secrets are variables, which have no flags. */
export function argumentsOf({ settings }: Program<Settings>, flags: Readonly<Record<string, string>>) {
  const env: Record<string, string> = {};
  const secrets = new Map<string, string>();
  for (const [key, setting] of Object.entries(settings)) {
    if (isSecret(setting)) secrets.set(flagOf(key, setting), setting.env);
  }
  const argv = Object.entries(flags).flatMap(([flag, value]) => {
    const variable = secrets.get(flag);
    if (variable === undefined) return [`--${flag}`, value];
    env[variable] = value;
    return [];
  });
  return { argv, env };
}

/** The value of a metric, all labels together. */
export async function metric({ registry }: TestService, name: string): Promise<number> {
  const { values } = await registry.getSingleMetric(name)!.get();
  return values.reduce((sum, { value }) => sum + value, 0);
}
