/**
 * Maps a stream with up to `window` items at work at once, results in order. Reading goes on while results
 * are awaited, which is what lets one connection fill batches.
 */
export async function* inWindow<T, R>(
  items: AsyncIterable<T>,
  work: (item: T) => Promise<R>,
  window: number,
): AsyncIterable<R> {
  const iterator = items[Symbol.asyncIterator]();
  const atWork: Promise<R>[] = [];
  let reading: Promise<IteratorResult<T>> | undefined = watched(iterator.next());
  while (reading !== undefined || atWork.length > 0) {
    const canRead = reading !== undefined && atWork.length < window;
    const first = atWork[0];
    const next = await Promise.race([
      ...(canRead ? [reading!.then((item) => ({ item }))] : []),
      ...(first === undefined ? [] : [first.then((result) => ({ result }))]),
    ]);
    if ("result" in next) {
      atWork.shift();
      yield next.result;
    } else if (next.item.done) {
      reading = undefined;
    } else {
      atWork.push(watched(work(next.item.value)));
      reading = watched(iterator.next());
    }
  }
}

/** A promise that may fail before anyone awaits it: the failure is met when its turn comes. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
