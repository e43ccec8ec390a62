import { LRUCache } from "lru-cache";
import type { Client } from "../../store/pool.ts";
import type { Coverage } from "../plan/cover.ts";
import { isOfWholeVisitors } from "../plan/plan.ts";
import { reachOf } from "../plan/reach.ts";
import type { AnyQuestion } from "../question/any-question.ts";
import { sizeSql } from "../sql/size.ts";
import { digest } from "./question-key.ts";

/** Of all events that a question reaches, whatever its filter. */
export interface Size {
  readonly events: number;
  /** Versions of their processing steps. */
  readonly oldest: number;
  readonly newest: number;
}

export async function readSize(client: Client, question: AnyQuestion, coverage: Coverage): Promise<Size> {
  const { text, values } = sizeSql(reachOf(question), coverage);
  const { rows } = await client.query<Size>({ text, values });
  return rows[0]!;
}

/** About 3 MB of them. */
const MOST_SIZES = 20_000;

/** Sizes of merchants' periods while their data are as they were: a dashboard asks many questions of one period. */
export class Sizes {
  readonly #sizes = new LRUCache<string, Size>({ max: MOST_SIZES });

  /** @param version of the question's data (data-state.ts). @param read works it out where it is not known. */
  async of(question: AnyQuestion, version: string, read: () => Promise<Size>): Promise<Size> {
    const { merchant, spans } = reachOf(question);
    const times = spans.map(({ start, end }) => [start, end]);
    // Versions of questions about whole visitors count other days.
    const key = digest(merchant.merchantId, times, isOfWholeVisitors(question), version);
    const known = this.#sizes.get(key);
    if (known !== undefined) return known;
    const size = await read();
    this.#sizes.set(key, size);
    return size;
  }
}
