import type { QueryConfig } from "pg";
import type { Question } from "../../internal/query/question/question.ts";
import { answerQuestion } from "../../internal/query/run/answer-question.ts";
import { type Client, createPool, type Pool } from "../../internal/store/pool.ts";
import type { Statement } from "./client.ts";

/** Connections to the database, of the service and of pg alike: as cmd/query has them by default. */
export const CONNECTIONS = 10;

/** What the service sets for its statements (store/pool.ts, store/snapshot.ts), as a connection's options. */
export const SESSION = "-c work_mem=32MB -c timescaledb.enable_chunkwise_aggregation=off -c jit=off";

/** Statements of questions begin so; what opens a snapshot and reads what it holds does not. */
const OF_QUESTIONS = /^WITH\b/;

/** From so many events on balanced answers are estimated: the service's default. */
const LIMITS = { statementTimeoutMs: 600_000, sampleFromEvents: 500_000 };

/** Tells the statements that the service sends for questions. */
export interface Recorder {
  /** Those that make the answer, of all that are sent beside it. */
  statementsOf(question: Question): Promise<Statement[]>;
  close(): Promise<void>;
}

export function startRecorder(url: string): Recorder {
  const pool: Pool = createPool({ url, name: "bench recorder", maxConnections: 1, statementTimeoutMs: 0 });
  let recorded: Statement[] = [];
  pool.on("connect", (client) => {
    noteQueries(client, ({ text, values = [] }) => {
      if (OF_QUESTIONS.test(text)) recorded.push({ text, values });
    });
  });
  return {
    async statementsOf(question) {
      recorded = [];
      await answerQuestion(pool, question, LIMITS);
      return recorded;
    },
    close: () => pool.end(),
  };
}

function noteQueries(client: Client, note: (query: QueryConfig) => void): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  Object.assign(client, {
    query: (...args: unknown[]) => {
      const [first] = args;
      if (typeof first === "object" && first !== null) note(first as QueryConfig);
      return query(...args);
    },
  });
}
