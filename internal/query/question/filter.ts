import type { Dimension, Metric } from "../schema/field.ts";

/** How a text is matched: `wildcard` as docs/reports.md tells; `regex` in RE2's syntax, found anywhere. */
export type TextMatch = "exact" | "prefix" | "suffix" | "contains" | "wildcard" | "regex";

/** A test of one value. A value that is absent passes `empty` alone. */
export type Test =
  | { readonly kind: "text"; readonly match: TextMatch; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: "in"; readonly values: readonly string[] }
  /** min <= value < max, and value = equals; what is undefined is open. Amounts in units of the currency. */
  | {
      readonly kind: "number";
      readonly min?: number | undefined;
      readonly max?: number | undefined;
      readonly equals?: number | undefined;
    }
  | { readonly kind: "empty"; readonly isEmpty: boolean };

/** A test of fields of one kind, and what is made of tests. */
export type Expression<F> =
  | { readonly kind: "all" | "any"; readonly of: readonly Expression<F>[] }
  | { readonly kind: "not"; readonly of: Expression<F> }
  | { readonly kind: "test"; readonly field: F; readonly test: Test }
  | Behavior;

/** What the event's session, or its visitor within the period, did: so many events that pass a filter without behavior. */
export interface Behavior {
  readonly kind: "behavior";
  readonly subject: "session" | "visitor";
  readonly event: Filter;
  /** 0 or more. */
  readonly atLeast: number;
  /** Undefined: any number. */
  readonly atMost: number | undefined;
}

/** Which events count. */
export type Filter = Expression<Dimension>;

/** Which rows of an answer are given, by metrics of the question; without behaviors. */
export type MetricFilter = Expression<Metric>;

/** The tests of an expression, those within behaviors left out. */
export function testsOf<F>(expression: Expression<F>): { readonly field: F; readonly test: Test }[] {
  switch (expression.kind) {
    case "all":
    case "any":
      return expression.of.flatMap(testsOf);
    case "not":
      return testsOf(expression.of);
    case "test":
      return [expression];
    case "behavior":
      return [];
  }
}

/** The behaviors of an expression. */
export function behaviorsOf<F>(expression: Expression<F>): Behavior[] {
  switch (expression.kind) {
    case "all":
    case "any":
      return expression.of.flatMap(behaviorsOf);
    case "not":
      return behaviorsOf(expression.of);
    case "test":
      return [];
    case "behavior":
      return [expression];
  }
}
