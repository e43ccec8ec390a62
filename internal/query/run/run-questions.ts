import { Failure } from "../../failure/failure.ts";
import type { Client, Pool } from "../../store/pool.ts";
import { inSnapshot } from "../../store/snapshot.ts";
import type { Answer, Counts } from "../question/answer.ts";
import { type AnyQuestion, isFunnel } from "../question/any-question.ts";
import { AnswerCache, type Kept } from "./answer-cache.ts";
import type { Budgets } from "./budgets.ts";
import { countBeside, countIn } from "./count.ts";
import { type DataState, readDataState, revisionOf } from "./data-state.ts";
import type { PageToken } from "./page-token.ts";
import { mostRows, pageWithin, type Rows, rowsAround } from "./pages.ts";
import { digest } from "./question-key.ts";
import { type RetryLimits, readWithRetry } from "./read-with-retry.ts";
import { SingleFlight } from "./single-flight.ts";
import { readSize, Sizes } from "./size.ts";
import type { Turns } from "./turns.ts";

/** A question, and which page of its answer. */
export interface Asked {
  /** The rows of a report are those of its first page; a funnel has one page. */
  readonly question: AnyQuestion;
  /** The question's (question-key.ts). */
  readonly key: string;
  /** Undefined: the first page. */
  readonly page?: PageToken | undefined;
}

/** A page of an answer. */
export interface Answered {
  readonly answer: Answer;
  /** Of its data (data-state.ts). */
  readonly revision: string;
  /** Rows before the next page; undefined: there is none. */
  readonly nextOffset: number | undefined;
  /** Whether it was not worked on for this call. */
  readonly isKept: boolean;
  /** Cost units that this call is charged. */
  readonly spent: number;
}

export interface RunnerOptions {
  /** Connections for questions, as many as turns gives slots. */
  readonly pool: Pool;
  /** Connections for what is quick, and has not to wait for questions. */
  readonly quickPool: Pool;
  readonly turns: Turns;
  readonly budgets: Budgets;
  /** Longest time of one statement, ms: what is worked on for many is not bounded by one caller's deadline. */
  readonly statementTimeoutMs: number;
  /** Most memory for answers that are kept, bytes. */
  readonly cacheBytes: number;
}

/** What is read for a page: rows of pages beside it too. */
interface Read {
  readonly asked: Asked;
  readonly page: Rows;
  /** The first row that is read. */
  readonly from: number;
  readonly question: AnyQuestion;
  /** Of what is read. */
  readonly key: string;
}

/** Answers questions: once for all who ask the same at a time, and from what is kept while its data are as they were. */
export class QuestionRunner {
  readonly #options: RunnerOptions;
  readonly #flights = new SingleFlight<(Answered | Failure)[]>();
  readonly #sizes = new Sizes();
  readonly cache: AnswerCache;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.cache = new AnswerCache(options.cacheBytes);
  }

  /**
   * Answers questions of one merchant, first pages in one snapshot.
   *
   * @param limits whose signal is this caller's alone.
   * @returns for each the answer; or Failure "precondition" of one that is too expensive, or whose page is not kept.
   * @throws Failure "exhausted" when the merchant's budget is spent, or too much waits; and what readWithRetry throws.
   */
  async run(
    asked: readonly Asked[],
    limits: RetryLimits & { readonly signal: AbortSignal },
  ): Promise<(Answered | Failure)[]> {
    const reads = asked.map(readOf);
    const flight = digest(asked.map(({ key, page }) => [key, page?.offset, page?.revision]));
    const { statementTimeoutMs } = this.#options;
    const { value, isFirst } = await this.#flights.run(flight, limits.signal, (signal) =>
      this.#answerAll(reads, { ...limits, signal, statementTimeoutMs }),
    );
    if (isFirst) return value;
    return value.map((each) => (each instanceof Failure ? each : { ...each, spent: 0 }));
  }

  /** Cost units that the merchant has left. */
  remaining(merchantId: number): number {
    return this.#options.budgets.remaining(merchantId);
  }

  /**
   * What answers to questions would be of, without answering them.
   * @returns for each its revision, and how fresh the answer would be; undefined where a page is not kept any more.
   */
  async look(asked: readonly Asked[], limits: RetryLimits) {
    const reads = asked.map(readOf);
    const state = await this.#state(reads, limits);
    return reads.map((read, at) => {
      const current = revisionOf(read.asked.key, state.versions[at]!);
      const revision = read.asked.page?.revision ?? current;
      if (revision === current) return { revision, freshness: state.freshness };
      const kept = this.cache.of(read.key, revision);
      return kept && { revision, freshness: kept.freshness };
    });
  }

  async #answerAll(reads: readonly Read[], limits: RetryLimits): Promise<(Answered | Failure)[]> {
    // What was never asked for is not looked for: that would cost it a statement.
    if (reads.every(({ key, asked }) => this.cache.has(key, asked.page?.revision))) {
      const state = await this.#state(reads, limits);
      const kept = reads.flatMap((read, at) => this.#kept(read, state, at) ?? []);
      if (kept.length === reads.length) return kept;
    }
    const { pool, turns, budgets } = this.#options;
    const { merchantId } = reads[0]!.question.merchant;
    budgets.check(merchantId);
    return turns.run(merchantId, limits.signal, () =>
      readWithRetry(limits, () => inSnapshot(pool, limits, (client) => this.#readAll(client, reads, limits))),
    );
  }

  #state(reads: readonly Read[], limits: RetryLimits): Promise<DataState> {
    const questions = reads.map(({ question }) => question);
    return readWithRetry(limits, () => readDataState(this.#options.quickPool, questions));
  }

  async #readAll(
    client: Client,
    reads: readonly Read[],
    limits: RetryLimits,
  ): Promise<(Answered | Failure)[]> {
    const questions = reads.map(({ question }) => question);
    const state = await readDataState(client, questions);
    const count = reads.length === 1 ? countIn : countBeside;
    const outcomes: (Answered | Failure)[] = [];
    for (const [at, read] of reads.entries()) {
      const { coverage, versions } = state;
      const readIt = () => readSize(client, read.question, coverage);
      const size = () => this.#sizes.of(read.question, versions[at]!, readIt);
      const work = () => count(client, read.question, { coverage, size }, limits);
      outcomes.push(this.#kept(read, state, at) ?? (await this.#read(read, state, at, work)));
    }
    return outcomes;
  }

  /** The page, where what is kept is of the revision that is asked for. */
  #kept(read: Read, { versions, freshness }: DataState, at: number): Answered | undefined {
    const current = revisionOf(read.asked.key, versions[at]!);
    const revision = read.asked.page?.revision ?? current;
    const kept = this.cache.of(read.key, revision);
    if (kept === undefined) return undefined;
    if (revision === current) kept.freshness = freshness;
    return { ...answered(read, kept), isKept: true, spent: 0 };
  }

  /** Works a question out, keeps its answer and takes what it cost. */
  async #read(
    read: Read,
    { versions, freshness }: DataState,
    at: number,
    work: () => Promise<Counts | Failure>,
  ): Promise<Answered | Failure> {
    const { asked, question, key } = read;
    const revision = revisionOf(asked.key, versions[at]!);
    if ((asked.page?.revision ?? revision) !== revision) return expired(asked.page!);
    const began = performance.now();
    const cost = () => Math.max(1, Math.ceil(performance.now() - began));
    try {
      const counts = await work();
      if (counts instanceof Failure) return counts;
      const kept = { revision, counts, freshness, hasMore: counts.totalRows > read.page.limit };
      this.cache.put(key, kept);
      return { ...answered(read, kept), isKept: false, spent: cost() };
    } finally {
      this.#options.budgets.charge(question.merchant.merchantId, cost());
    }
  }
}

function readOf(asked: Asked): Read {
  const { question, key } = asked;
  if (isFunnel(question)) {
    return { asked, page: { offset: 0, limit: Number.POSITIVE_INFINITY }, from: 0, question, key };
  }
  const page = { offset: asked.page?.offset ?? 0, limit: question.limit };
  const rows = rowsAround(page, mostRows(question));
  return {
    asked,
    page,
    from: rows.offset,
    question: { ...question, ...rows },
    key: digest(key, rows.offset),
  };
}

function answered({ page, from }: Read, { revision, counts, freshness }: Kept) {
  const answer = { ...pageWithin(counts, from, page), ...freshness };
  const next = page.offset + answer.table.rows;
  return { answer, revision, nextOffset: next < counts.totalRows ? next : undefined };
}

/** The first rows of a page; the next one begins behind them. */
export function cutPage(answered: Answered, page: PageToken | undefined, rows: number): Answered {
  if (answered.answer.table.rows <= rows) return answered;
  const answer = { ...answered.answer, ...pageWithin(answered.answer, 0, { offset: 0, limit: rows }) };
  return { ...answered, answer, nextOffset: (page?.offset ?? 0) + rows };
}

function expired({ now }: PageToken): Failure {
  const since = new Date(now).toISOString();
  const message = `page_token: the data of the first page, of ${since}, are not kept any more; ask for it again`;
  return new Failure("precondition", message, { reason: "PAGE_TOKEN_EXPIRED", field: "page_token" });
}
