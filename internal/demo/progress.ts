import { SingleBar } from "cli-progress";

/** Shows what the demo is doing, on standard error: a bar in a terminal, else a line now and then. */
export class Progress {
  readonly #isTerminal = process.stderr.isTTY === true;
  #bar: SingleBar | undefined;
  #total = 0;
  #shown = 0;

  /** A line of its own. */
  say(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** Begins a count to a total; 0 when it is not known. */
  begin(what: string, total: number): void {
    this.#total = total;
    this.#shown = 0;
    if (!this.#isTerminal) {
      this.say(`${what}${total > 0 ? `: ${total.toLocaleString("en")} events` : ""}`);
      return;
    }
    const format = `${what} {bar} {value}/{total}, {eta_formatted} left`;
    this.#bar = new SingleBar({ format, stream: process.stderr, hideCursor: true, barsize: 30 });
    this.#bar.start(total, 0);
  }

  /** Tells the count so far. */
  at(count: number): void {
    this.#bar?.update(count);
    if (this.#isTerminal || this.#total === 0 || count - this.#shown < this.#total / 5) return;
    this.#shown = count;
    this.say(`  ${count.toLocaleString("en")} answered`);
  }

  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
