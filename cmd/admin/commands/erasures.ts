import { z } from "zod";
import { PERSON_HASHES } from "../../../internal/aggregate/steps/visitor.ts";
import { ConfigError } from "../../../internal/config/config-error.ts";
import { streamSettings } from "../../../internal/config/programs/shared.ts";
import { flag, integer, optional, type Setting, text } from "../../../internal/config/setting.ts";
import { partitionOf } from "../../../internal/event/partition.ts";
import { merchantVisitorKey, storedVisitorId } from "../../../internal/event/visitor-id.ts";
import { Failure } from "../../../internal/failure/failure.ts";
import { fieldsTable, table } from "../../../internal/program/table.ts";
import { beginErasure, isUnfinished } from "../../../internal/store/erasure/begin.ts";
import { countErasable, type Erasable } from "../../../internal/store/erasure/count.ts";
import { listReceipts, type Receipt } from "../../../internal/store/erasure/receipt.ts";
import { runErasure } from "../../../internal/store/erasure/run.ts";
import type { Person, Subject } from "../../../internal/store/erasure/subject.ts";
import { merchantExists } from "../../../internal/store/merchants.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import { readVisitorIdSecret } from "../../../internal/store/visitor-id-secret.ts";
import { command, merchant } from "../command.ts";

const id = (description: string): Setting<string> => ({ description, schema: text() });

/** A 64-bit integer, signed as a bigint column has it. */
const hash: Setting<bigint> = {
  description: "the visitor's hash, as the column visitor_id has it; --visitor-hash=-7 if below 0",
  schema: z
    .string()
    .regex(/^-?\d{1,19}$/, "is not a whole number of 64 bits")
    .transform(BigInt)
    .refine((value) => value === BigInt.asIntN(64, value), "is not a whole number of 64 bits"),
};

const HOUR_MS = 3_600_000;

interface DryRun extends Erasable {
  readonly dryRun: true;
  readonly merchantId: number;
  readonly personKind: Person["kind"] | null;
  readonly personHash: string | null;
}

const run = command({
  name: "erasures run",
  description:
    "Erases a person, or a whole merchant, and prints the receipt; goes on with an erasure that was interrupted. docs/erasure.md says what is removed, and what remains for how long.",
  example: "--merchant 1 --visitor 'id that the SDK sent'",
  settings: {
    merchant,
    visitor: optional(id("the visitor id that the SDK sent")),
    visitorHash: optional(hash),
    user: optional(id("the user id of events, as the shop sent it")),
    customer: optional(id("the customer id of orders, as the shop sent it")),
    wholeMerchant: flag("the merchant and all that it has"),
    dryRun: flag("count what would be removed, and change nothing"),
    refreshWaitMs: {
      description:
        "how long the aggregator has to refresh the quarter hours that lost events, before the command does it itself, ms",
      schema: integer(0, 86_400_000),
      fallback: "15000",
    },
    streamMaxAgeHours: streamSettings.streamMaxAgeHours,
  },
  run: async (pool, config): Promise<Receipt | DryRun> => {
    checkSubject(config);
    const { partitions } = await readInstallation(pool);
    const subject = await subjectOf(pool, config);
    const { merchantId, person } = subject;
    // The merchant's own row goes before the last steps of its erasure.
    if (!(await merchantExists(pool, merchantId)) && !(await isUnfinished(pool, subject))) {
      throw new Failure("not_found", `there is no merchant ${merchantId}`);
    }
    if (config.dryRun) {
      const erasable = await countErasable(pool, subject);
      const { kind = null, hash } = person ?? {};
      return {
        dryRun: true,
        merchantId,
        personKind: kind,
        personHash: hash?.toString() ?? null,
        ...erasable,
      };
    }
    const erasure = await beginErasure(pool, subject, partitionOf(merchantId, partitions));
    return runErasure(pool, erasure, {
      refreshWaitMs: config.refreshWaitMs,
      streamMaxAgeMs: config.streamMaxAgeHours * HOUR_MS,
    });
  },
  table: (done) => ("dryRun" in done ? dryRunTable(done) : receiptTable(done)),
});

interface Who {
  readonly merchant: number;
  readonly visitor: string | undefined;
  readonly visitorHash: bigint | undefined;
  readonly user: string | undefined;
  readonly customer: string | undefined;
  readonly wholeMerchant: boolean;
}

/** A whole merchant must be asked for in so many words: an empty id does not mean it. */
function checkSubject({ visitor, visitorHash: hash, user, customer, wholeMerchant }: Who): void {
  const given = [visitor, hash, user, customer].filter((one) => one !== undefined);
  if (given.length + Number(wholeMerchant) === 1) return;
  throw new ConfigError(
    "exactly one of --visitor, --visitor-hash, --user, --customer and --whole-merchant says who is to be erased",
  );
}

/** Who is meant. An id is hashed as collectors do, where it could be guessed, and then as the processing does. */
async function subjectOf(pool: Pool, { merchant: merchantId, visitorHash, ...ids }: Who): Promise<Subject> {
  if (visitorHash !== undefined) return { merchantId, person: { kind: "visitor", hash: visitorHash } };
  const kind = (["visitor", "user", "customer"] as const).find((one) => ids[one] !== undefined);
  if (kind === undefined) return { merchantId, person: undefined };
  const key = merchantVisitorKey(await readVisitorIdSecret(pool), merchantId);
  return {
    merchantId,
    person: { kind, hash: PERSON_HASHES[kind](merchantId, storedVisitorId(key, ids[kind]!)) },
  };
}

const list = command({
  name: "erasures list",
  description: "Shows the receipts of all erasures, latest first.",
  example: "--merchant 1",
  settings: { merchant: optional({ ...merchant, description: "only this merchant's" }) },
  run: async (pool, { merchant: merchantId }) => {
    await readInstallation(pool);
    return listReceipts(pool, merchantId);
  },
  table: (receipts) =>
    table(
      ["erasure", "merchant", "who", "requested", "finished", "rows removed", "archive objects left"],
      receipts.map((one) => [
        String(one.erasureId),
        String(one.merchantId),
        whoOf(one),
        one.requestedAt,
        one.finishedAt ?? "not yet",
        Object.values(one.removed).reduce((sum, rows) => sum + rows, 0),
        one.archiveObjectsLeft,
      ]),
    ),
});

const byTable = (rows: Readonly<Record<string, number>>) => table(["table", "rows"], Object.entries(rows));

const whoOf = ({ personKind, personHash }: Pick<Receipt, "personKind" | "personHash">) =>
  personKind === null ? "all" : `${personKind} ${personHash}`;

function dryRunTable({ merchantId, rows, firstTime, lastTime, visitors, ...who }: DryRun): string {
  const about = {
    ...{ merchant: String(merchantId), who: whoOf(who), first: firstTime, last: lastTime },
    ...(visitors && { "of visitors": visitors.join(" ") }),
  };
  return `${fieldsTable(about)}\nWould be removed; nothing was changed:\n${byTable(rows)}`;
}

function receiptTable({ removed, remains, ...receipt }: Receipt): string {
  const about = fieldsTable({
    erasure: String(receipt.erasureId),
    merchant: String(receipt.merchantId),
    who: whoOf(receipt),
    requested: receipt.requestedAt,
    "erased through": receipt.erasedThrough,
    finished: receipt.finishedAt ?? "not yet: the same command goes on",
    "first event": receipt.firstTime,
    "last event": receipt.lastTime,
    "archive objects left": receipt.archiveObjectsLeft,
  });
  const left = (remains ?? []).map(({ where, what, until }) => [where, what, until && new Date(until)]);
  return `${about}\n${byTable(removed)}\nWhat remains:\n${table(["where", "what", "until"], left)}`;
}

export const ERASURE_COMMANDS = [run, list];
