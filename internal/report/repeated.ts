/** The first element that stands before it in the list already; in one pass, as a caller may send very many. */
export function firstRepeated<T>(list: readonly T[]): T | undefined {
  const seen = new Set<T>();
  return list.find((element) => seen.has(element) || !seen.add(element));
}
