/** `*` stands for any characters but /, `**` for any. */
export function fitsWildcard(text: string, pattern: string): boolean {
  if (pattern === "") return text === "";
  const isDeep = pattern.startsWith("**");
  if (isDeep || pattern.startsWith("*")) {
    const rest = pattern.slice(isDeep ? 2 : 1);
    if (fitsWildcard(text, rest)) return true;
    return text !== "" && (isDeep || text[0] !== "/") && fitsWildcard(text.slice(1), pattern);
  }
  return text !== "" && text[0] === pattern[0] && fitsWildcard(text.slice(1), pattern.slice(1));
}
