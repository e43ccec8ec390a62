/**
 * Remembers what a pure function said. It keeps the answers of between `capacity` and twice as many arguments,
 * those asked for last: when one generation is full, the one before it is forgotten.
 */
export function memo<K, V>(find: (key: K) => V, capacity: number): (key: K) => V {
  let young = new Map<K, V>();
  let old = new Map<K, V>();
  return (key) => {
    let value = young.get(key);
    if (value !== undefined || young.has(key)) return value as V;
    value = old.has(key) ? (old.get(key) as V) : find(key);
    if (young.size >= capacity) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
    return value;
  };
}
