import { setTimeout as sleep } from "node:timers/promises";
import pRetry from "p-retry";

export interface RetryOptions {
  /** Pause after the first try, ms: this to twice as much, by chance. Each further one is twice as long. */
  readonly firstMs: number;
  /** Longest pause, ms: every call draws its own between half of that and all, so that many do not try in step. */
  readonly longestMs: number;
  /** Most tries. Default: no bound. */
  readonly tries?: number;
  /** How long after the first try began another may begin, ms. Default: no bound. */
  readonly withinMs?: number;
  /** Ends pauses and tries. A try that is under way is waited for. */
  readonly signal?: AbortSignal | undefined;
  /** A try that lasted this long did work, though it failed: another begins at once, and pauses are short again. */
  readonly stableMs?: number;
  /** Whether another try may help. Default: always. */
  readonly isRetryable?: (error: unknown) => boolean;
  /** How long the error asks to wait before the usual pause, ms. */
  readonly askedMs?: (error: unknown) => number;
  /** Told of each try that failed, unless the signal is aborted. */
  readonly onFailed?: (error: unknown, tried: number) => void;
}

/** Carries whatever a try threw past the library, which takes TypeErrors and values that are no errors for final. */
class TryFailed extends Error {
  readonly ms: number;

  constructor(cause: unknown, ms: number) {
    super("a try failed", { cause });
    this.ms = ms;
  }
}

/**
 * Tries until the work succeeds, with pauses that grow.
 * @throws what the last try threw, or the signal's reason.
 */
export async function withRetry<T>(
  work: (tried: number) => Promise<T> | T,
  options: RetryOptions,
): Promise<T> {
  const { stableMs = Number.POSITIVE_INFINITY } = options;
  const done: T[] = [];
  const attempt = async (tried: number) => {
    const started = performance.now();
    try {
      done.push(await work(tried));
    } catch (cause) {
      throw new TryFailed(cause, performance.now() - started);
    }
  };
  try {
    await pRetry(attempt, libraryOptions({ ...options, stableMs }));
  } catch (error) {
    // What succeeded as the signal was aborted is done all the same.
    if (done.length > 0) return done[0]!;
    if (!(error instanceof TryFailed)) throw error;
    if (error.ms >= stableMs && isRetryable(error, options)) return withRetry(work, options);
    throw error.cause;
  }
  return done[0]!;
}

function libraryOptions(options: RetryOptions & { readonly stableMs: number }) {
  const { firstMs, longestMs, tries = Number.POSITIVE_INFINITY, withinMs, signal, stableMs } = options;
  return {
    retries: tries - 1,
    minTimeout: firstMs,
    maxTimeout: longestMs * (0.5 + Math.random() / 2),
    maxRetryTime: withinMs,
    // The library draws by chance only below the longest pause.
    randomize: true,
    signal,
    onFailedAttempt: ({ error, attemptNumber }: { readonly error: Error; readonly attemptNumber: number }) =>
      options.onFailed?.(error.cause, attemptNumber),
    async shouldRetry({ error }: { readonly error: Error }) {
      if ((error as TryFailed).ms >= stableMs || !isRetryable(error, options)) return false;
      const askedMs = options.askedMs?.(error.cause) ?? 0;
      // The library looks at the signal itself.
      if (askedMs > 0) await sleep(askedMs, undefined, { signal }).catch(() => {});
      return true;
    },
  };
}

function isRetryable({ cause }: Error, options: RetryOptions): boolean {
  return options.isRetryable?.(cause) ?? true;
}
