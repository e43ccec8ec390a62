import { readFile } from "node:fs/promises";
import { ConfigError } from "../config/config-error.ts";
import { KNOWN_VARIABLES } from "../config/programs/all.ts";
import { simulate } from "../config/programs/simulate.ts";
import { readConfig } from "../config/read-config.ts";
import type { ConfigOf } from "../config/setting.ts";

export interface SimulateConfig
  extends Omit<ConfigOf<typeof simulate.settings>, "writeKeys" | "writeKeysFile"> {
  /** One for each merchant. */
  readonly writeKeys: readonly string[];
}

/**
 * Reads the load client's configuration, and the file of write keys.
 * @throws ConfigError naming each setting that is wrong.
 */
export async function readSimulateConfig(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<SimulateConfig> {
  const config = readConfig(simulate, argv, env, KNOWN_VARIABLES);
  const keys = await writeKeys(config);
  const merchants = config.merchants || keys.length;
  if (keys.length === 0) throw new ConfigError("--write-keys or --write-keys-file must hold a key");
  if (keys.length < merchants) {
    throw new ConfigError(`--merchants: ${merchants} is more than the ${keys.length} write keys`);
  }
  if (config.historyDays > 0 && config.events === 0) {
    throw new ConfigError("--events: 0 has no end, which --history-days needs");
  }
  return { ...config, merchants, writeKeys: keys.slice(0, merchants) };
}

async function writeKeys(config: ConfigOf<typeof simulate.settings>): Promise<string[]> {
  const given = config.writeKeys?.split(",") ?? [];
  const lines = config.writeKeysFile === undefined ? [] : (await readKeys(config.writeKeysFile)).split("\n");
  return [...given, ...lines].map((key) => key.trim()).filter((key) => key !== "");
}

async function readKeys(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new ConfigError(`--write-keys-file: ${file} cannot be read: ${String(error)}`);
  }
}
