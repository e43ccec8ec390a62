import { Failure } from "../../failure/failure.ts";

/** Reads a filter's text piece by piece; white space between pieces does not count. */
export class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Takes a sign, if it is next. */
  take(sign: string): boolean {
    this.#skipSpace();
    if (!this.#text.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    return true;
  }

  /** Takes what a sticky expression finds here. */
  match(expression: RegExp): RegExpExecArray | undefined {
    this.#skipSpace();
    return this.#exec(expression);
  }

  /** The name of a field: in quotes, if it has signs of the syntax in it. */
  field(): string {
    const name = this.#quoted() ?? this.match(/[^\s=!<>();,"'~]+/y)?.[0];
    if (name === undefined) throw this.expected("the name of a field");
    return name;
  }

  /** A value: in quotes, or up to the next of ; , ( ) */
  value(): string {
    const value = this.#quoted() ?? this.match(/[^;,()"'][^;,()]*/y)?.[0].trimEnd();
    if (value === undefined || value === "")
      throw this.expected("a value; put it in quotes if it has ; , ( or ) in it");
    return value;
  }

  number(): number {
    const at = this.#at;
    const text = this.value();
    if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) && Number.isFinite(Number(text)))
      return Number(text);
    this.#at = at;
    throw this.expected("a number");
  }

  /** (a,b,"c") */
  values(): string[] {
    if (!this.take("(")) throw this.expected("a list such as (a,b)");
    const values = [this.value()];
    while (this.take(",")) values.push(this.value());
    if (!this.take(")")) throw this.expected(", or )");
    return values;
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.expected("; or , or the end");
  }

  expected(what: string): Failure {
    const found = this.#text.slice(this.#at, this.#at + 20);
    const where = found === "" ? "at the end" : `at character ${this.#at + 1}, before "${found}"`;
    return new Failure("invalid", `the filter is wrong ${where}: there must be ${what}`);
  }

  /** In quotes \" and \\ stand for the second sign; every other backslash for itself, as in regular expressions. */
  #quoted(): string | undefined {
    const match = this.match(/"((?:[^"\\]|\\[\s\S])*)"|'((?:[^'\\]|\\[\s\S])*)'/y);
    return (match?.[1] ?? match?.[2])?.replaceAll(/\\(["'\\])/g, "$1");
  }

  #exec(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at;
    const match = expression.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }

  #skipSpace(): void {
    this.#exec(/\s*/y);
  }
}
