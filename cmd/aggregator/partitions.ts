import { ConfigError } from "../../internal/config/read-config.ts";

/**
 * The partitions of a list such as "0-31,40"; undefined for "all".
 * @throws ConfigError for one that does not exist.
 */
export function parsePartitions(list: string, count: number): number[] | undefined {
  if (list === "all") return undefined;
  const partitions = list.split(",").flatMap((part) => {
    const [first, last = first] = part.split("-").map(Number);
    if (first! > last! || last! >= count) {
      throw new ConfigError(`FOOTFALL_AGGREGATOR_PARTITIONS: ${part} is not within 0-${count - 1}`);
    }
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
  return [...new Set(partitions)];
}
