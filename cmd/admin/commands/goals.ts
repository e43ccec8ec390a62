import { ConfigError } from "../../../internal/config/read-config.ts";
import { Failure } from "../../../internal/failure/failure.ts";
import { checkGoal } from "../../../internal/report/goals/check-goal.ts";
import { addGoal, type Goal, listGoals, removeGoal } from "../../../internal/store/goals/goals.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import type { Command, Config } from "./command.ts";

/** A goal as it is printed. JSON knows no bigint; a goal's value is within 2^53. */
function printed({ valueMicros, createdTime, ...goal }: Goal) {
  const value = valueMicros === undefined ? {} : { valueMicros: Number(valueMicros) };
  return { ...goal, ...value, createdAt: new Date(createdTime).toISOString() };
}

const add: Command = async (pool, config) => {
  const { name, eventName, pagePattern, value: valueMicros } = config;
  if (name === undefined) throw new ConfigError("--name is required");
  const merchantId = merchantOf(config);
  const goal = checkGoal({ name, eventName, pagePattern, valueMicros });
  await readInstallation(pool);
  return printed(await addGoal(pool, merchantId, goal));
};

const list: Command = async (pool, config) => {
  const merchantId = merchantOf(config);
  await readInstallation(pool);
  return (await listGoals(pool, merchantId)).map(printed);
};

const remove: Command = async (pool, config) => {
  const merchantId = merchantOf(config);
  if (config.goal === 0) throw new ConfigError("--goal is required");
  await readInstallation(pool);
  return { removed: printed(await removeGoal(pool, merchantId, config.goal)) };
};

function merchantOf({ merchant }: Config): number {
  if (merchant === 0) throw new ConfigError("--merchant is required");
  return merchant;
}

/** What the operator can mend is told in a line that names the command. */
function plain(name: string, command: Command): [name: string, command: Command] {
  const run = async (pool: Pool, config: Config) => {
    try {
      return await command(pool, config);
    } catch (error) {
      if (!(error instanceof Failure || error instanceof ConfigError)) throw error;
      throw new ConfigError(`${name}: ${error.message}`, { cause: error });
    }
  };
  return [name, run];
}

/** `admin goal ...`: what merchants call a success. */
export const GOAL_COMMANDS = [
  plain("goal add", add),
  plain("goal list", list),
  plain("goal remove", remove),
] as const;
