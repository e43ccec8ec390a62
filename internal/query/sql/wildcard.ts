import sql, { type Sql } from "sql-template-tag";

/** A piece of a pattern: a text that stands for itself, `*` (no slash), or `**` (anything). */
export type Piece = { readonly kind: "text"; readonly text: string } | { readonly kind: "segment" | "any" };

/** The pieces of a pattern. All characters but the star stand for themselves. */
export function wildcardPieces(pattern: string): Piece[] {
  return pattern
    .split(/(\*+)/)
    .filter((piece) => piece !== "")
    .map((piece) => {
      if (!piece.startsWith("*")) return { kind: "text", text: piece };
      return { kind: piece === "*" ? "segment" : "any" };
    });
}

/**
 * SQL that tells whether a text matches a pattern of wildcards as a whole; null where there is no text. `*` stands for any
 * characters but "/", `**` for any characters, everything else for itself.
 *
 * LIKE knows `**` alone. Where all wildcards are `*`, a text that LIKE finds matches if it has no more slashes than the
 * pattern. Only patterns with both need a regular expression, of which PostgreSQL keeps but 32 compiled: LIKE, with both
 * wildcards as `%`, goes first and leaves it few rows.
 */
export function matchesWildcard(text: Sql, pattern: string): Sql {
  const pieces = wildcardPieces(pattern);
  const hasSegment = pieces.some(({ kind }) => kind === "segment");
  const hasAny = pieces.some(({ kind }) => kind === "any");
  if (!hasSegment && !hasAny) return sql`${text} = ${pattern}::text`;
  const like = sql`${text} LIKE ${likeOf(pieces)}::text`;
  if (!hasSegment) return like;
  if (hasAny) return sql`(${like} AND ${text} ~ ${expressionOf(pieces)}::text)`;
  const slashes = pattern.split("/").length - 1;
  return sql`(${like} AND length(${text}) - length(replace(${text}, '/', '')) = ${slashes}::integer)`;
}

function likeOf(pieces: readonly Piece[]): string {
  return pieces.map((piece) => (piece.kind === "text" ? escapeLike(piece.text) : "%")).join("");
}

/** A text that stands for itself in a pattern of LIKE. */
export function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, "\\$&");
}

/** PostgreSQL's advanced regular expression: a backslash makes any sign of ASCII stand for itself. */
function expressionOf(pieces: readonly Piece[]): string {
  const parts = pieces.map((piece) => {
    if (piece.kind === "text") return piece.text.replaceAll(/[!-/:-@[-`{-~]/g, "\\$&");
    return piece.kind === "segment" ? "[^/]*" : ".*";
  });
  return `^${parts.join("")}$`;
}
