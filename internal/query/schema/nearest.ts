/** Names that a mistyped one may have meant: at most so many, nearest first, each at most a third of its letters away. */
export function nearestNames(name: string, names: readonly string[], most = 3): string[] {
  const asked = name.slice(0, 64);
  return names
    .map((each) => ({ each, distance: distance(asked, each) }))
    .filter((one) => one.distance <= Math.max(1, Math.floor(one.each.length / 3)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ each }) => each);
}

/** Levenshtein's edit distance, row by row. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let at = 1; at <= b.length; at++) {
      const same = a[row - 1] === b[at - 1] ? 0 : 1;
      current[at] = Math.min(previous[at - 1]! + same, previous[at]! + 1, current[at - 1]! + 1);
    }
    previous = current;
  }
  return previous[b.length]!;
}
