import { appendFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * When a name is durable. `journal`: with the next fsync of whatever file or folder, as ext4, XFS and btrfs do it,
 * whose fsync of a new file brings its name along. `strict`: with the fsync of its folder, which is all that POSIX
 * promises.
 */
export type NameRule = "journal" | "strict";

/** One name of a folder: what it names from now on. */
export interface NameChange {
  readonly dir: number;
  readonly name: string;
  /** Undefined: nothing. */
  readonly ino?: number;
  /** Kind and permissions, as stat's st_mode. */
  readonly mode?: number;
  /** Of a symbolic link. */
  readonly target?: string;
}

/** The names of a disk: those that are durable in a log of their own, one line a change; the others in memory. */
export class Names {
  readonly #path: string;
  readonly #rule: NameRule;
  /** Changes that no fsync has made durable. Those of one list hold or fall together. */
  #pending: (readonly NameChange[])[] = [];

  constructor(folder: string, rule: NameRule) {
    this.#path = join(folder, "names.log");
    this.#rule = rule;
  }

  /** The durable changes, in their order. */
  load(): NameChange[] {
    try {
      const lines = readFileSync(this.#path, "utf8").split("\n");
      // The last line is empty, or was cut off: then its fsync was never answered.
      return lines.slice(0, -1).flatMap((line) => JSON.parse(line) as NameChange[]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  /** Replaces the log by a shorter one of the same meaning. */
  replace(changes: readonly NameChange[]): void {
    writeFileSync(`${this.#path}.new`, lines(changes.map((change) => [change])));
    renameSync(`${this.#path}.new`, this.#path);
  }

  /** Takes changes that a power cut undoes. Those in different folders fall apart where names are strict. */
  change(...changes: readonly NameChange[]): void {
    if (this.#rule === "journal") this.#pending.push(changes);
    else {
      const dirs = new Set(changes.map(({ dir }) => dir));
      for (const dir of dirs) this.#pending.push(changes.filter((change) => change.dir === dir));
    }
  }

  /** Takes a change that is durable at once. */
  note(change: NameChange): void {
    appendFileSync(this.#path, lines([[change]]));
  }

  /** The file or folder was fsynced. */
  sync(ino: number): void {
    const isDurable = ([first]: readonly NameChange[]) => this.#rule === "journal" || first!.dir === ino;
    const durable = this.#pending.filter(isDurable);
    if (durable.length === 0) return;
    appendFileSync(this.#path, lines(durable));
    this.#pending = this.#pending.filter((changes) => !isDurable(changes));
  }
}

const lines = (lists: readonly (readonly NameChange[])[]) =>
  lists.map((changes) => `${JSON.stringify(changes)}\n`).join("");
