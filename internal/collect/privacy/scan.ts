import { Char, DecodedText } from "./decoded-text.ts";

/** What stands for a value that is taken out. */
export const REDACTED = "(redacted)";

/** A text that is looked at, and what is taken out of it, from left to right. Its room is used again for the next. */
export class Scan {
  readonly text = new DecodedText();
  /** Where the last cut ended, in the decoded text. */
  end = 0;
  #clean = "";
  #kept = 0;

  begin(text: string): void {
    this.text.read(text);
    this.#clean = "";
    this.#kept = 0;
    this.end = 0;
  }

  /** Puts something in the place of some characters of the decoded text. @returns where they end. */
  cut(from: number, to: number, instead = REDACTED): number {
    const { text, starts, codes } = this.text;
    const start = starts[from]!;
    const end = starts[to]!;
    // A text that was cleaned before stays what it is.
    if (end - start !== instead.length || !text.startsWith(instead, start)) {
      this.#clean += text.slice(this.#kept, start) + instead;
      this.#kept = end;
    }
    // What comes next sees what a later look at the result would see before it.
    codes.fill(instead === "" ? Char.SLASH : Char.CLOSED, from, to);
    this.end = to;
    return to;
  }

  /** The text without what was cut; the text itself where nothing was. */
  rest(): string {
    const { text } = this.text;
    return this.#kept === 0 ? text : this.#clean + text.slice(this.#kept);
  }
}

/**
 * Looks at what begins at a place of the decoded text, or lies around it, and cuts what is to go.
 * @returns where to go on.
 */
export type Find = (scan: Scan, at: number) => number;
