import type { Failure } from "../../failure/failure.ts";
import type { Client } from "../../store/pool.ts";
import type { Counts } from "../question/answer.ts";
import { type AnyQuestion, isFunnel } from "../question/any-question.ts";
import { countReport, type Known } from "./answer-question.ts";
import { countFunnel } from "./count-funnel.ts";
import { type AnswerLimits, failureOf } from "./read-with-retry.ts";

/** Answers a question of any kind in the client's transaction. Errors: as answerQuestion's. */
export function countIn(
  client: Client,
  question: AnyQuestion,
  known: Known,
  limits: AnswerLimits,
): Promise<Counts> {
  return isFunnel(question)
    ? countFunnel(client, question, known, limits)
    : countReport(client, question, known, limits);
}

/**
 * As countIn, beside other questions in the transaction: a statement that fails leaves these their snapshot.
 * @returns Failure "precondition" for a question that is too expensive.
 */
export async function countBeside(
  client: Client,
  question: AnyQuestion,
  known: Known,
  limits: AnswerLimits,
): Promise<Counts | Failure> {
  await client.query("SAVEPOINT question");
  try {
    return await countIn(client, question, known, limits);
  } catch (cause) {
    limits.signal?.throwIfAborted();
    const failure = failureOf(cause, limits);
    if (failure?.kind !== "precondition") throw cause;
    await client.query("ROLLBACK TO SAVEPOINT question");
    return failure;
  }
}
