import { visitorHash } from "../../../internal/aggregate/steps/visitor.ts";
import { ConfigError } from "../../../internal/config/read-config.ts";
import { partitionOf } from "../../../internal/event/partition.ts";
import { Failure } from "../../../internal/failure/failure.ts";
import { beginErasure, isUnfinished } from "../../../internal/store/erasure/begin.ts";
import { countErasable, type Erasable } from "../../../internal/store/erasure/count.ts";
import { listReceipts, type Receipt } from "../../../internal/store/erasure/receipt.ts";
import { runErasure } from "../../../internal/store/erasure/run.ts";
import type { Subject } from "../../../internal/store/erasure/subject.ts";
import { merchantExists } from "../../../internal/store/merchants.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import { streamLimits } from "../../../internal/stream/stream-settings.ts";
import type { Config } from "./command.ts";

interface DryRun extends Erasable {
  readonly dryRun: true;
  readonly merchantId: number;
  readonly visitorHash: string | null;
}

/** Erases a visitor, or a whole merchant; goes on with an erasure that was interrupted. */
export async function erase(pool: Pool, config: Config): Promise<Receipt | DryRun> {
  const subject = subjectOf(config);
  const { merchantId, visitorId } = subject;
  const { partitions } = await readInstallation(pool);
  // The merchant's own row goes before the last steps of its erasure.
  if (!(await merchantExists(pool, merchantId)) && !(await isUnfinished(pool, subject))) {
    throw new Failure("not_found", `erase: there is no merchant ${merchantId}`);
  }
  if (config.dryRun) {
    const erasable = await countErasable(pool, subject);
    return { dryRun: true, merchantId, visitorHash: visitorId?.toString() ?? null, ...erasable };
  }
  const erasure = await beginErasure(pool, subject, partitionOf(merchantId, partitions));
  return runErasure(pool, erasure, {
    refreshWaitMs: config.refreshWaitMs,
    streamMaxAgeMs: streamLimits(config).maxAgeMs,
  });
}

/** Who is meant. A whole merchant must be asked for in so many words: an empty visitor id does not mean it. */
function subjectOf({ merchant, visitor, visitorHash: hash, wholeMerchant }: Config): Subject {
  if (merchant === 0) throw new ConfigError("erase: --merchant is required");
  const named = [visitor !== undefined, hash !== undefined, wholeMerchant].filter(Boolean);
  if (named.length !== 1) {
    throw new ConfigError(
      "erase: exactly one of --visitor, --visitor-hash and --whole-merchant says who is to be erased",
    );
  }
  if (visitor !== undefined) return { merchantId: merchant, visitorId: visitorHash(merchant, visitor) };
  return { merchantId: merchant, visitorId: hash };
}

/** The receipts of all erasures, latest first; or of one merchant's. */
export async function erasures(pool: Pool, { merchant }: Config): Promise<Receipt[]> {
  await readInstallation(pool);
  return listReceipts(pool, merchant === 0 ? undefined : merchant);
}
