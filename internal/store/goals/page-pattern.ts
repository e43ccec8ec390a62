/** A piece of a pattern: a text that stands for itself, or what a wildcard stands for. */
export type PatternPart =
  | { readonly kind: "text"; readonly text: string }
  /** `*`: any characters but "/", or none. */
  | { readonly kind: "segment" }
  /** `**`: any characters, or none. */
  | { readonly kind: "any" };

/** The pieces of a pattern of pages. All characters but the star stand for themselves. */
export function patternParts(pattern: string): PatternPart[] {
  return pattern
    .split(/(\*+)/)
    .filter((piece) => piece !== "")
    .map((piece) => {
      if (!piece.startsWith("*")) return { kind: "text", text: piece };
      return { kind: piece === "*" ? "segment" : "any" };
    });
}

/**
 * SQL that tells whether a page matches a pattern; null where there is no page.
 *
 * LIKE knows `**` alone. Where all wildcards are `*`, a page that LIKE finds matches if it has no more slashes than
 * the pattern. Only patterns with both need a regular expression, of which PostgreSQL keeps but 32 compiled: LIKE,
 * with both wildcards as `%`, goes first and leaves it few rows.
 * @param page SQL text value: a path.
 * @param parameter adds a text to the statement's parameters. @returns how the SQL names it.
 */
export function matchesPattern(pattern: string, page: string, parameter: (text: string) => string): string {
  const parts = patternParts(pattern);
  const has = (kind: PatternPart["kind"]) => parts.some((part) => part.kind === kind);
  if (!has("segment") && !has("any")) return `${page} = ${parameter(pattern)}`;
  const like = `${page} LIKE ${parameter(likeOf(parts))}`;
  if (!has("segment")) return like;
  if (has("any")) return `${like} AND ${page} ~ ${parameter(expressionOf(parts))}`;
  const slashes = pattern.split("/").length - 1;
  return `${like} AND length(${page}) - length(replace(${page}, '/', '')) = ${slashes}`;
}

function likeOf(parts: readonly PatternPart[]): string {
  return parts.map((part) => (part.kind === "text" ? part.text.replaceAll(/[\\%_]/g, "\\$&") : "%")).join("");
}

/** PostgreSQL's advanced regular expression: a backslash makes any sign of ASCII stand for itself. */
function expressionOf(parts: readonly PatternPart[]): string {
  const pieces = parts.map((part) => {
    if (part.kind === "text") return part.text.replaceAll(/[!-/:-@[-`{-~]/g, "\\$&");
    return part.kind === "any" ? ".*" : "[^/]*";
  });
  return `^${pieces.join("")}$`;
}
