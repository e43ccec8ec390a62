import { Failure } from "../failure/failure.ts";
import { lockMerchant } from "./lock-merchant.ts";
import { type Client, type Pool, transaction } from "./pool.ts";

/** Which events reach a goal: those that have all that it names, which is one thing at least. */
export interface GoalCondition {
  /** Undefined: events of any name. */
  readonly eventName: string | undefined;
  /** A pattern of wildcards over the event's page. Undefined: any page, and none. */
  readonly pagePattern: string | undefined;
}

export interface NewGoal extends GoalCondition {
  /** Of the merchant's goals no other has it. */
  readonly name: string;
  /** What reaching it once is worth, micros of the merchant's currency; undefined: the revenue of the event. */
  readonly valueMicros: bigint | undefined;
}

/** A merchant's goal. */
export interface Goal extends NewGoal {
  /** From 1 on for each merchant, never used again. */
  readonly goalId: number;
  /** Ms since 1970-01-01 UTC. */
  readonly createdTime: number;
}

/** Most goals that a merchant may have: a question about all of them tests each event for each. */
export const MAX_GOALS = 50;

const COLUMNS = `goal_id, name, event_name, page_pattern, value_micros::text,
  floor(extract(epoch FROM created_at) * 1000)::float8 AS created_ms`;

interface GoalRow {
  readonly goal_id: number;
  readonly name: string;
  readonly event_name: string | null;
  readonly page_pattern: string | null;
  readonly value_micros: string | null;
  readonly created_ms: number;
}

/** The merchant's goals, by id. An unknown merchant has none. */
export async function listGoals(at: Pick<Pool, "query">, merchantId: number): Promise<Goal[]> {
  const { rows } = await at.query<GoalRow>(
    `SELECT ${COLUMNS} FROM goals WHERE merchant_id = $1 ORDER BY goal_id`,
    [merchantId],
  );
  return rows.map(goalOf);
}

/**
 * Makes a goal of values that were checked (query/goals/check-goal.ts).
 *
 * @throws Failure "not_found" for a merchant that is not there, "already_exists" for a name that another goal of it has,
 * "exhausted" when it has MAX_GOALS.
 */
export function addGoal(pool: Pool, merchantId: number, goal: NewGoal): Promise<Goal> {
  return transaction(pool, async (client) => {
    const goals = await lockGoals(client, merchantId);
    checkName(goals, goal.name);
    if (goals.length >= MAX_GOALS) {
      const message = `merchant ${merchantId} has ${MAX_GOALS} goals, the most: remove one first`;
      throw new Failure("exhausted", message, { allowed: `at most ${MAX_GOALS} goals` });
    }
    const { rows } = await client.query<GoalRow>(
      `WITH merchant AS (
         UPDATE merchants SET last_goal_id = last_goal_id + 1 WHERE merchant_id = $1 RETURNING last_goal_id
       )
       INSERT INTO goals (merchant_id, goal_id, name, event_name, page_pattern, value_micros)
       SELECT $1::integer, last_goal_id, $2::text, $3::text, $4::text, $5::bigint FROM merchant
       RETURNING ${COLUMNS}`,
      [merchantId, goal.name, goal.eventName, goal.pagePattern, goal.valueMicros],
    );
    return goalOf(rows[0]!);
  });
}

/**
 * Changes a goal, in reports of the past too.
 *
 * @param change the goal as it is to be, of what it is: checked values. What it throws leaves the goal as it is.
 * @throws Failure "not_found" when the merchant has no such goal, "already_exists" as addGoal.
 */
export function updateGoal(
  pool: Pool,
  merchantId: number,
  goalId: number,
  change: (goal: Goal) => NewGoal,
): Promise<Goal> {
  return transaction(pool, async (client) => {
    const goals = await lockGoals(client, merchantId);
    const now = goals.find((goal) => goal.goalId === goalId) ?? noSuchGoal(merchantId, goalId);
    const next = change(now);
    checkName(
      goals.filter((goal) => goal !== now),
      next.name,
    );
    const { rows } = await client.query<GoalRow>(
      `UPDATE goals SET name = $3, event_name = $4, page_pattern = $5, value_micros = $6
       WHERE merchant_id = $1 AND goal_id = $2 RETURNING ${COLUMNS}`,
      [merchantId, goalId, next.name, next.eventName, next.pagePattern, next.valueMicros],
    );
    return goalOf(rows[0]!);
  });
}

/**
 * Removes a goal from all reports, those of the past included; its name is free again, its id is not.
 *
 * @throws Failure "not_found" when the merchant has no such goal.
 */
export async function removeGoal(pool: Pool, merchantId: number, goalId: number): Promise<Goal> {
  const { rows } = await pool.query<GoalRow>(
    `DELETE FROM goals WHERE merchant_id = $1 AND goal_id = $2::bigint RETURNING ${COLUMNS}`,
    [merchantId, goalId],
  );
  return rows[0] === undefined ? noSuchGoal(merchantId, goalId) : goalOf(rows[0]);
}

/** The merchant's goals, which stay as they are until the transaction ends. */
async function lockGoals(client: Client, merchantId: number): Promise<Goal[]> {
  await lockMerchant(client, merchantId);
  return listGoals(client, merchantId);
}

function checkName(others: readonly Goal[], name: string): void {
  const same = others.find((goal) => goal.name === name);
  if (same === undefined) return;
  throw new Failure("already_exists", `name "${name}" is that of the merchant's goal ${same.goalId}`);
}

function noSuchGoal(merchantId: number, goalId: number): never {
  throw new Failure("not_found", `merchant ${merchantId} has no goal ${goalId}`);
}

function goalOf(row: GoalRow): Goal {
  return {
    goalId: row.goal_id,
    name: row.name,
    eventName: row.event_name ?? undefined,
    pagePattern: row.page_pattern ?? undefined,
    valueMicros: row.value_micros === null ? undefined : BigInt(row.value_micros),
    createdTime: row.created_ms,
  };
}
