/**
 * Maps a stream with up to `window` items at work at once, results in order. Reading goes on while results
 * are awaited, which is what lets one connection fill batches.
 * @param stop ends the reading; what is at work then is still finished and yielded.
 */
export async function* mapConcurrent<T, R>(
  items: AsyncIterable<T>,
  work: (item: T) => Promise<R>,
  window: number,
  stop: AbortSignal,
): AsyncIterable<R> {
  const iterator = items[Symbol.asyncIterator]();
  const atWork: Promise<R>[] = [];
  let reading: Promise<IteratorResult<T>> | undefined = nextOf(iterator, stop);
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
      reading = nextOf(iterator, stop);
    }
  }
}

/** The next item, or the end when the signal is aborted before it comes. */
function nextOf<T>(iterator: AsyncIterator<T>, stop: AbortSignal): Promise<IteratorResult<T>> {
  const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T>>();
  const end = () => resolve({ done: true, value: undefined });
  if (stop.aborted) end();
  else {
    stop.addEventListener("abort", end, { once: true });
    // A stream has many items and one signal: each takes its listener away again.
    iterator
      .next()
      .finally(() => stop.removeEventListener("abort", end))
      .then(resolve, reject);
  }
  return watched(promise);
}

/** A promise that may fail before anyone awaits it: the failure is met when its turn comes. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
