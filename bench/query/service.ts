import type { QueryConfig } from "pg";
import type { Answer } from "../../internal/query/question/answer.ts";
import type { Question } from "../../internal/query/question/question.ts";
import { answerQuestion } from "../../internal/query/run/answer-question.ts";
import { type Client, createPool, type Pool } from "../../internal/store/pool.ts";

/** What is asked, and over which connections. */
export interface Service {
  readonly pool: Pool;
  ask(question: Question): Promise<Answer>;
  /** The statements that made an answer, of all that were sent beside it, to be sent by themselves. */
  statementsOf(question: Question): Promise<readonly QueryConfig[]>;
  close(): Promise<void>;
}

/** Longer than any answer may take, ms: the bench measures also what the service would refuse. */
const LIMITS = { statementTimeoutMs: 600_000 };

/** Statements of questions begin so; what opens a snapshot and reads what it holds does not. */
const OF_QUESTIONS = /^WITH\b/;

export function startService(url: string, connections: number): Service {
  const pool = createPool({
    url,
    name: "bench query",
    maxConnections: connections,
    statementTimeoutMs: 0,
    connectTimeoutMs: 60_000,
  });
  let recorded: QueryConfig[] | undefined;
  pool.on("connect", (client) => {
    noteQueries(client, (query) => {
      if (OF_QUESTIONS.test(query.text)) recorded?.push(query);
    });
  });
  return {
    pool,
    ask: (question) => answerQuestion(pool, question, LIMITS),
    async statementsOf(question) {
      recorded = [];
      await answerQuestion(pool, question, LIMITS);
      const found = recorded;
      recorded = undefined;
      return found;
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
