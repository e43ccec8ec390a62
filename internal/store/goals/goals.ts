import { Failure } from "../../failure/failure.ts";
import { lockMerchant } from "../lock-merchant.ts";
import { type Pool, transaction } from "../pool.ts";
import { inSnapshot, type ReadLimits } from "../report/snapshot.ts";

/** Which events reach a goal: those that have all that it names, which is one thing at least. */
export interface GoalCondition {
  /** Undefined: events of any name. */
  readonly eventName: string | undefined;
  /** A pattern over the event's path (page-pattern.ts). Undefined: any page, and none. */
  readonly pagePattern: string | undefined;
}

export interface NewGoal extends GoalCondition {
  /** Of the merchant's goals no other has it. */
  readonly name: string;
  /** What reaching it once is worth, micros of the merchant's currency; undefined: the revenue of the event. */
  readonly valueMicros: bigint | undefined;
}

/** A merchant's goal. It never changes: a goal that should is removed, and another made. */
export interface Goal extends NewGoal {
  /** From 1 on for each merchant, never used again. */
  readonly goalId: number;
  /** Ms since 1970-01-01 UTC. */
  readonly createdTime: number;
}

/** Most goals that a merchant may have: a report counts all of them in one scan. */
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

/**
 * Makes a goal of values that were checked (report/goals/check-goal.ts).
 *
 * @throws Failure "not_found" for a merchant that is not there, "already_exists" for a name that another goal of it has,
 * "exhausted" when it has MAX_GOALS.
 */
export function addGoal(pool: Pool, merchantId: number, goal: NewGoal): Promise<Goal> {
  return transaction(pool, async (client) => {
    await lockMerchant(client, merchantId);
    const goals = await readGoals(client, merchantId);
    const same = goals.find(({ name }) => name === goal.name);
    if (same !== undefined) {
      throw new Failure(
        "already_exists",
        `name "${goal.name}" is that of the merchant's goal ${same.goalId}`,
      );
    }
    if (goals.length >= MAX_GOALS) {
      throw new Failure(
        "exhausted",
        `merchant ${merchantId} has ${MAX_GOALS} goals, the most: remove one first`,
      );
    }
    const { rows } = await client.query<GoalRow>(
      `INSERT INTO goals (merchant_id, goal_id, name, event_name, page_pattern, value_micros)
       SELECT $1::integer, coalesce(max(goal_id), 0) + 1, $2::text, $3::text, $4::text, $5::bigint
       FROM goals WHERE merchant_id = $1
       RETURNING ${COLUMNS}`,
      [merchantId, goal.name, goal.eventName, goal.pagePattern, goal.valueMicros],
    );
    return goalOf(rows[0]!);
  });
}

/** The merchant's goals that were not removed, by id. An unknown merchant has none. */
export function listGoals(pool: Pool, merchantId: number): Promise<Goal[]> {
  return readGoals(pool, merchantId);
}

/** The same for a report, within its bounds. */
export function listGoalsWithin(pool: Pool, merchantId: number, limits: ReadLimits): Promise<Goal[]> {
  return inSnapshot(pool, limits, async (client) => {
    const goals = await readGoals(client, merchantId);
    limits.onRead?.(["goals"], goals.length);
    return goals;
  });
}

/**
 * Removes a goal from all reports, those of the past included; its name is free again.
 *
 * @throws Failure "not_found" when the merchant has no such goal.
 */
export async function removeGoal(pool: Pool, merchantId: number, goalId: number): Promise<Goal> {
  const { rows } = await pool.query<GoalRow>(
    `UPDATE goals SET archived_at = now()
     WHERE merchant_id = $1 AND goal_id = $2 AND archived_at IS NULL RETURNING ${COLUMNS}`,
    [merchantId, goalId],
  );
  if (rows[0] === undefined) throw new Failure("not_found", `merchant ${merchantId} has no goal ${goalId}`);
  return goalOf(rows[0]);
}

async function readGoals(at: Pick<Pool, "query">, merchantId: number): Promise<Goal[]> {
  const { rows } = await at.query<GoalRow>(
    `SELECT ${COLUMNS} FROM goals WHERE merchant_id = $1 AND archived_at IS NULL ORDER BY goal_id`,
    [merchantId],
  );
  return rows.map(goalOf);
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
