import sql, { type Sql } from "sql-template-tag";

/**
 * SQL that tells whether a text matches a pattern of wildcards as a whole; null where there is no text. `*` stands for any
 * characters but "/", `**` for any characters, everything else for itself.
 *
 * LIKE knows `**` alone. Where all wildcards are `*`, a text that LIKE finds matches if it has no more slashes than the
 * pattern. Only patterns with both need a regular expression, of which PostgreSQL keeps but 32 compiled: LIKE, with both
 * wildcards as `%`, goes first and leaves it few rows.
 */
export function matchesWildcard(text: Sql, pattern: string): Sql {
  const pieces = pattern.split(/(\*+)/).filter((piece) => piece !== "");
  const hasSegment = pieces.includes("*");
  const hasAny = pieces.some((piece) => piece.startsWith("**"));
  if (!hasSegment && !hasAny) return sql`${text} = ${pattern}::text`;
  const like = sql`${text} LIKE ${likeOf(pieces)}::text`;
  if (!hasSegment) return like;
  if (hasAny) return sql`(${like} AND ${text} ~ ${expressionOf(pieces)}::text)`;
  const slashes = pattern.split("/").length - 1;
  return sql`(${like} AND length(${text}) - length(replace(${text}, '/', '')) = ${slashes}::integer)`;
}

function likeOf(pieces: readonly string[]): string {
  return pieces.map((piece) => (piece[0] === "*" ? "%" : piece.replaceAll(/[\\%_]/g, "\\$&"))).join("");
}

/** PostgreSQL's advanced regular expression: a backslash makes any sign of ASCII stand for itself. */
function expressionOf(pieces: readonly string[]): string {
  const parts = pieces.map((piece) => {
    if (piece[0] !== "*") return piece.replaceAll(/[!-/:-@[-`{-~]/g, "\\$&");
    return piece === "*" ? "[^/]*" : ".*";
  });
  return `^${parts.join("")}$`;
}
