import { readFileSync, statSync } from "node:fs";
import { ConfigError } from "./config-error.ts";

/** How often a file is looked at, at most, ms. */
const LOOK_MS = 1_000;

/** What a program knows of the files that it was pointed at. */
export class Files {
  readonly #files: ChangingFile<unknown>[] = [];
  /** Told when a file is read anew, with what is wrong with it: then its former content goes on being used. */
  onChange: (path: string, problem: string | undefined) => void = () => {};

  add(file: ChangingFile<unknown>): void {
    this.#files.push(file);
  }

  /** Each file with what is wrong with it now. */
  look(): { readonly path: string; readonly problem: string | undefined }[] {
    return this.#files.map((file) => {
      void file.value;
      return { path: file.path, problem: file.problem };
    });
  }
}

/**
 * The content of one or several files that belong together, and are replaced while the program runs: it is read
 * anew when they have changed, and what cannot be read or understood leaves the former content in use.
 */
export class ChangingFile<T> {
  readonly #paths: readonly string[];
  readonly #parse: (texts: readonly string[]) => T;
  readonly #files: Files;
  #value: T;
  #seen: string;
  #lookedTime = performance.now();
  #problem: string | undefined;

  /**
   * @param parse throws where it does not understand the texts; the message must not repeat them.
   * @throws ConfigError when they cannot be read, and what `parse` throws.
   */
  constructor(paths: readonly string[], parse: (texts: readonly string[]) => T, files: Files) {
    this.#paths = paths;
    this.#parse = parse;
    this.#files = files;
    this.#seen = this.#look();
    this.#value = this.#read();
    files.add(this);
  }

  get path(): string {
    return this.#paths.join(", ");
  }

  /** What is wrong with the present content. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Changes of the last second may not be seen yet. */
  get value(): T {
    const now = performance.now();
    if (now - this.#lookedTime < LOOK_MS) return this.#value;
    this.#lookedTime = now;
    const seen = this.#look();
    if (seen === this.#seen) return this.#value;
    this.#seen = seen;
    try {
      this.#value = this.#read();
      this.#problem = undefined;
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
    }
    this.#files.onChange(this.path, this.#problem);
    return this.#value;
  }

  /** Looks are compared to tell a change. Names may be links that are set to another folder, as Kubernetes does it. */
  #look(): string {
    return this.#paths
      .map((path) => {
        const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
        return stat === undefined ? "none" : `${stat.dev}:${stat.ino}:${stat.mtimeNs}:${stat.size}`;
      })
      .join();
  }

  #read(): T {
    return this.#parse(this.#paths.map(readText));
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(`${JSON.stringify(path)} cannot be read: ${code}`, { cause: error });
  }
}
