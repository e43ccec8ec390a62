import type { Pool } from "../../store/pool.ts";
import type { ReadLimits } from "../../store/report/snapshot.ts";
import type { Answer } from "../question/answer.ts";
import type { Question } from "../question/question.ts";

/**
 * Answers a question in one snapshot of the database.
 *
 * @throws Failure "unavailable" when the database is away; the reason of the limits' signal when it is aborted; pg's
 * errors otherwise (SQLSTATE 57014 when a statement took too long).
 */
export async function answerQuestion(_pool: Pool, _question: Question, _limits: ReadLimits): Promise<Answer> {
  throw new Error("being built");
}
