import { z } from "zod";
import { ConfigError } from "./config-error.ts";
import type { Setting } from "./setting.ts";

/** The setting of the partitions that a program works. */
export const partitionList: Setting<string> = {
  description: "which partitions to work, such as 0-31 or 3,5; all",
  schema: z.string().regex(/^(all|\d+(-\d+)?(,\d+(-\d+)?)*)$/, "is neither `all` nor a list such as 0-31,40"),
  fallback: "all",
};

/**
 * The partitions of a list such as "0-31,40".
 * @param env the setting's name, for the error.
 * @throws ConfigError for one that does not exist.
 */
export function parsePartitions(list: string, count: number, env: string): number[] {
  if (list === "all") return Array.from({ length: count }, (_, partition) => partition);
  const partitions = list.split(",").flatMap((part) => {
    const [first, last = first] = part.split("-").map(Number);
    if (first! > last! || last! >= count) {
      throw new ConfigError(`${env}: ${part} is not within 0-${count - 1}`);
    }
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
  return [...new Set(partitions)];
}
