import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type GoalSchema, GoalService } from "../../internal/gen/footfall/query/v1/goals_pb.js";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import { ErrorInfoSchema } from "../../internal/gen/google/rpc/error_details_pb.js";
import { createKey, revokeKey } from "../../internal/store/api-keys.ts";
import { MAX_GOALS } from "../../internal/store/goals.ts";
import { newKeyText } from "../../internal/store/key-text.ts";
import { type CreatedMerchant, createMerchant } from "../../internal/store/merchants.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { bearer, transportsTo } from "../../test/kit/installation-clients.ts";
import { startTestQuery, type TestQuery } from "./testing/query-service.ts";

const NEW_MERCHANT = { name: "Shop", timeZone: "UTC", currency: "EUR", retentionDays: 30 };

let database: TestDatabase;
let service: TestQuery;
let baseUrl: string;
beforeAll(async () => {
  database = await openTestDatabase(4);
  service = await startTestQuery(database.url, { "key-fresh-ms": "0" });
  baseUrl = service.url;
});
afterAll(async () => {
  await service?.stop();
  await database?.close();
});

/** A merchant with a management key. */
type Shop = CreatedMerchant & { readonly manageKey: string };
let own: Shop;
let other: Shop;
beforeEach(async () => {
  own = await newShop();
  other = await newShop();
});

async function newShop(): Promise<Shop> {
  const merchant = await createMerchant(database.pool, NEW_MERCHANT);
  const { key } = await createKey(database.pool, merchant.merchantId, "manage");
  return { ...merchant, manageKey: key };
}

const client = (protocol = "gRPC") => createClient(GoalService, transportsTo(baseUrl)[protocol]!);
const list = async ({ readKey }: Shop = own) => (await client().listGoals({}, bearer(readKey))).goals;
const create = async (goal: MessageInitShape<typeof GoalSchema>, { manageKey }: Shop = own) =>
  (await client().createGoal({ goal }, bearer(manageKey))).goal!;

/** What a refused call tells: code, reason and field. */
async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => ConnectError.from(reason),
  );
  const [info] = error?.findDetails(ErrorInfoSchema) ?? [];
  return [error && Code[error.code], info?.reason, info?.metadata.field];
}

test("goals are made, listed, changed and removed, over every protocol", async () => {
  for (const [protocol, transport] of Object.entries(transportsTo(baseUrl))) {
    const goals = createClient(GoalService, transport);
    const [read, manage] = [bearer(own.readKey), bearer(own.manageKey)];
    const before = Date.now();
    const goal = { displayName: `Größe '; -- ${protocol}`, eventName: "sign_up", valueMicros: 2_500_000n };
    const { goal: made } = await goals.createGoal({ goal }, manage);
    expect(made).toMatchObject({ ...goal, pagePattern: "" });
    expect(Math.abs(timestampMs(made!.createTime!) - before)).toBeLessThan(60_000);
    expect((await goals.listGoals({ merchantId: own.merchantId }, read)).goals).toEqual([made]);
    const { goal: changed } = await goals.updateGoal(
      {
        goal: { id: made!.id, pagePattern: "/thanks" },
        updateMask: { paths: ["page_pattern", "value_micros"] },
      },
      manage,
    );
    const { valueMicros: _, ...rest } = made!;
    expect(changed).toEqual({ ...rest, pagePattern: "/thanks" });
    await goals.deleteGoal({ goalId: made!.id }, manage);
    expect((await goals.listGoals({}, read)).goals).toEqual([]);
  }
  expect(await list(other)).toEqual([]);
});

test("an id is never used again", async () => {
  const ids: number[] = [];
  for (let i = 0; i < 3; i++) {
    const { id } = await create({ displayName: "Goal", eventName: "x" });
    await client().deleteGoal({ goalId: id }, bearer(own.manageKey));
    ids.push(id);
  }
  expect(ids).toEqual([1, 2, 3]);
});

test("what may not be is refused with its reason and field, and changes nothing", async () => {
  const kept = await create({ displayName: "Kept", eventName: "x" });
  const second = await create({ displayName: "Second", eventName: "y" });
  const manage = bearer(own.manageKey);
  const made = (goal: MessageInitShape<typeof GoalSchema> | undefined) =>
    refusal(client().createGoal(goal === undefined ? {} : { goal }, manage));
  const changed = (goal: MessageInitShape<typeof GoalSchema>, ...paths: string[]) =>
    refusal(client().updateGoal({ goal, updateMask: { paths } }, manage));
  const invalid = "InvalidArgument";
  expect(await made(undefined)).toEqual([invalid, "FIELD_MISSING", "goal"]);
  expect(await made({ eventName: "x" })).toEqual([invalid, "FIELD_INVALID", "goal.display_name"]);
  expect(await made({ displayName: "A" })).toEqual([invalid, "FIELD_MISSING", "goal.event_name"]);
  expect(await made({ displayName: "A", pagePattern: "a" })).toEqual([
    invalid,
    "FIELD_INVALID",
    "goal.page_pattern",
  ]);
  expect(await made({ displayName: "Kept", eventName: "x" })).toEqual([
    "AlreadyExists",
    "ALREADY_EXISTS",
    "goal.display_name",
  ]);
  expect(await changed({ id: 0 }, "*")).toEqual([invalid, "FIELD_MISSING", "goal.id"]);
  expect(await changed({ id: 4_000_000_000, displayName: "A" }, "display_name")).toEqual([
    "NotFound",
    "NOT_FOUND",
    "goal.id",
  ]);
  expect(await changed({ id: kept.id }, "name")).toEqual([invalid, "FIELD_INVALID", "update_mask.paths[0]"]);
  expect(await changed({ id: kept.id }, "event_name")).toEqual([invalid, "FIELD_MISSING", "goal.event_name"]);
  expect(await changed({ id: kept.id, displayName: "Second" }, "display_name")).toEqual([
    "AlreadyExists",
    "ALREADY_EXISTS",
    "goal.display_name",
  ]);
  expect(await refusal(client().deleteGoal({ goalId: 4_000_000_000 }, manage))).toEqual([
    "NotFound",
    "NOT_FOUND",
    "goal_id",
  ]);
  expect(await list()).toEqual([kept, second]);
});

test(`a merchant has at most ${MAX_GOALS} goals`, async () => {
  const names = Array.from({ length: MAX_GOALS }, (_, at) => `Goal ${at}`);
  await Promise.all(names.map((displayName) => create({ displayName, eventName: "x" })));
  const more = client().createGoal({ goal: { displayName: "More", eventName: "x" } }, bearer(own.manageKey));
  expect(await refusal(more)).toEqual(["ResourceExhausted", "LIMIT_REACHED", undefined]);
  expect((await list()).map(({ displayName }) => displayName).sort()).toEqual(names.sort());
});

test("nobody sees or changes another merchant's goals", async () => {
  const theirs = await create({ displayName: "Theirs", eventName: "x" }, other);
  const { id } = theirs;
  const manage = bearer(own.manageKey);
  const asked = { merchantId: other.merchantId };
  const denied = ["PermissionDenied", "PERMISSION_DENIED", "merchant_id"];
  expect(await refusal(client().listGoals(asked, bearer(own.readKey)))).toEqual(denied);
  expect(await refusal(client().createGoal(asked, manage))).toEqual(denied);
  expect(await refusal(client().updateGoal({ ...asked, goal: { id } }, manage))).toEqual(denied);
  expect(await refusal(client().deleteGoal({ ...asked, goalId: id }, manage))).toEqual(denied);
  const missing = ["NotFound", "NOT_FOUND"];
  const change = client().updateGoal({ goal: { id, displayName: "Mine" } }, manage);
  expect((await refusal(change)).slice(0, 2)).toEqual(missing);
  expect((await refusal(client().deleteGoal({ goalId: id }, manage))).slice(0, 2)).toEqual(missing);
  expect(await list(other)).toEqual([theirs]);
  expect(await list()).toEqual([]);
});

test("a key does what its kind may, and nothing else", async () => {
  const kept = await create({ displayName: "Kept", eventName: "x" });
  const goal = { displayName: "More", eventName: "x" };
  const changes = (key: string) => [
    refusal(client().createGoal({ goal }, bearer(key))),
    refusal(client().updateGoal({ goal: { id: kept.id, displayName: "Other" } }, bearer(key))),
    refusal(client().deleteGoal({ goalId: kept.id }, bearer(key))),
  ];
  const refusedAs = (code: string, reason: string) => Array(3).fill([code, reason, undefined]);
  const { key: revoked, keyId } = await createKey(database.pool, own.merchantId, "manage");
  await revokeKey(database.pool, own.merchantId, keyId);
  expect(await Promise.all(changes(own.readKey))).toEqual(refusedAs("PermissionDenied", "PERMISSION_DENIED"));
  for (const key of [own.writeKey, newKeyText("manage"), revoked, "ffm_x", ""]) {
    expect(await Promise.all(changes(key)), key).toEqual(refusedAs("Unauthenticated", "UNAUTHENTICATED"));
  }
  const reads = createClient(QueryService, transportsTo(baseUrl).gRPC!);
  for (const read of [
    client().listGoals({}, bearer(own.manageKey)),
    reads.runReport({}, bearer(own.manageKey)),
  ]) {
    expect((await refusal(read)).slice(0, 2)).toEqual(["PermissionDenied", "PERMISSION_DENIED"]);
  }
  expect(await list()).toEqual([kept]);
});

test("what changes something is not to be had by GET", async () => {
  const message = encodeURIComponent(JSON.stringify({ goalId: 1 }));
  const url = `${baseUrl}/footfall.query.v1.GoalService/DeleteGoal?connect=v1&encoding=json&message=${message}`;
  await create({ displayName: "Kept", eventName: "x" });
  const response = await fetch(url, { headers: { authorization: `Bearer ${own.manageKey}` } });
  expect(response.ok).toBe(false);
  expect(await list()).toHaveLength(1);
});
