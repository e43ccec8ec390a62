import type { Fields, Format } from "./fields.ts";
import { PRESETS } from "./presets.ts";
import { toRequest } from "./request.ts";
import { w3cFormat } from "./w3c-format.ts";

const W3C_LINE = /^\d{4}-\d\d-\d\d[ \t]\d\d:\d\d:\d\d(?:\.\d+)?[ \t]/;

/**
 * Reads lines of text in whichever known format each is, the last one's first. A format takes only what has its
 * shape and a time in its place, so that a line is never read in another's.
 */
export class AutoFormat implements Format {
  readonly #w3c = w3cFormat();
  /** Whether directives tell that W3C's lines follow. */
  #isW3c = false;
  readonly #known: readonly Format[] = Object.values(PRESETS);
  #current: Format | undefined;

  get name(): string {
    return this.#current?.name ?? "auto";
  }

  directive(line: string): void {
    this.#w3c.directive?.(line);
    this.#isW3c ||= /^#Fields:/i.test(line);
  }

  read(line: string): Fields | undefined {
    const fields = this.#current?.read(line);
    if (fields !== undefined && (this.#current !== this.#w3c || this.#maybeW3c(line))) return fields;
    const other = this.#find(line);
    if (other === undefined) return undefined;
    this.#current = other.format;
    return other.fields;
  }

  #maybeW3c(line: string): boolean {
    return this.#isW3c || W3C_LINE.test(line);
  }

  #find(line: string): { readonly format: Format; readonly fields: Fields } | undefined {
    const formats = this.#maybeW3c(line) ? [this.#w3c] : this.#known;
    for (const format of formats) {
      const fields = format.read(line);
      if (fields !== undefined && hasTime(fields)) return { format, fields };
    }
    return undefined;
  }
}

/** A time is the one part that no text has by chance. */
function hasTime(fields: Fields): boolean {
  return toRequest({ ...fields, status: "200", request: "GET / HTTP/1.1", client: "192.0.2.1" }).ok;
}
