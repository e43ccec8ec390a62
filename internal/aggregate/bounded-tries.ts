import { Failure } from "../failure/failure.ts";
import { withRetry } from "../lifecycle/retry.ts";
import { faultOf, ProcessingError, type ReadBatch } from "./prepare.ts";

/** Commits batches behind a position; @returns the new one. */
type CommitBatches = (after: number, batches: readonly ReadBatch[]) => Promise<number>;

export interface TryOptions {
  /** How often a batch is tried before it is dead-lettered. */
  readonly tries: number;
  readonly commit: CommitBatches;
  /** Told of each failed try. */
  readonly failed: (error: unknown, batch: ReadBatch | undefined, tried: number) => void;
}

/** Pauses between two tries of a batch: some faults of data depend on what others do at that moment. */
const PAUSES = { firstMs: 50, longestMs: 100 };

/**
 * Commits a group of batches. When it fails by fault of a batch, the batches are committed one by one; one that
 * fails in all its tries is committed as a dead letter: kept in the dead-letter stream, its rows counted as dead-lettered.
 * @returns the new position.
 * @throws what is no batch's fault (a part that is away, another owner): the caller waits and starts over.
 */
export async function commitInTries(
  after: number,
  batches: readonly ReadBatch[],
  options: TryOptions,
): Promise<number> {
  let tried = 0;
  try {
    return await options.commit(after, batches);
  } catch (error) {
    if (!isFaultOfBatch(error)) throw error;
    // Of a group nobody knows yet which batch it was.
    if (batches.length === 1) tried = 1;
    options.failed(error, tried === 1 ? batches[0] : undefined, tried);
    if (tried === options.tries) return options.commit(after, [asDeadLetter(batches[0]!, error)]);
  }
  let position = after;
  for (const batch of batches) position = await commitOne(position, batch, tried, options);
  return position;
}

async function commitOne(
  after: number,
  batch: ReadBatch,
  triedBefore: number,
  { tries, commit, failed }: TryOptions,
): Promise<number> {
  try {
    return await withRetry(() => commit(after, [batch]), {
      ...PAUSES,
      tries: tries - triedBefore,
      isRetryable: isFaultOfBatch,
      onFailed: (error, tried) => isFaultOfBatch(error) && failed(error, batch, triedBefore + tried),
    });
  } catch (error) {
    if (!isFaultOfBatch(error)) throw error;
    return commit(after, [asDeadLetter(batch, error)]);
  }
}

function asDeadLetter(batch: ReadBatch, error: unknown): ReadBatch {
  return { ...batch, view: undefined, ...faultOf(error) };
}

/**
 * SQLSTATE classes that speak of the data: cardinality (21), data exception (22), integrity constraint (23),
 * program limit (54, such as a row that is too large for its index). All others (connection 08, resources 53,
 * rollback 40, operator 57, a schema that does not fit the program 42 ...) would meet any batch.
 */
const DATA_CLASSES = new Set(["21", "22", "23", "54"]);

/** Whether a failed commit is to be laid to a batch, or to the code that worked on it. */
export function isFaultOfBatch(error: unknown): boolean {
  if (error instanceof ProcessingError) return !(error.cause instanceof Failure);
  // Broken code shows as one of these; drivers and sockets fail with a plain Error.
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError)
    return true;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && code.length === 5 && DATA_CLASSES.has(code.slice(0, 2));
}
