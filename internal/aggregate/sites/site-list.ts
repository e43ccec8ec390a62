import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A site of a list. */
export interface ListedSite {
  /** What reports call it; undefined where no name was given. */
  readonly name: string | undefined;
  /** Patterns of hosts, as HostTable takes them, and Android apps: "android-app:PACKAGE". */
  readonly hosts: readonly string[];
  /** How campaign links call it. */
  readonly names: readonly string[];
}

/**
 * Reads a list of sites beside this file. A line is a site: its name or "-", then hosts, and words without a dot, which
 * are names that campaign links give it; the site's own name is one too, if it has no dot. Lines that begin with # tell
 * where the list comes from.
 */
export function readSiteList(file: string): ListedSite[] {
  const lines = readFileSync(join(import.meta.dirname, file), "utf8").split("\n");
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [first, ...words] = line.split(" ");
      const name = first === "-" ? undefined : first;
      const own = name === undefined || name.includes(".") ? [] : [name];
      const isHost = (word: string) => word.includes(".");
      return {
        name,
        hosts: words.filter(isHost),
        names: [...own, ...words.filter((word) => !isHost(word))],
      };
    });
}
