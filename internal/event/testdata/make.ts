/**
 * Makes the golden files NAME.bin out of NAME.json: `node internal/event/testdata/make.ts minimal full`.
 * They are made once and checked in. Old batches stay in the archive for ever: a file that no longer reads
 * means that the code is wrong, not the file. A new version of the layout gets new files.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Codec } from "../../gen/footfall/event/v1/batch_pb.js";
import { BatchBuilder } from "../batch-builder.ts";
import { seal, sealedBytes } from "../seal.ts";
import { idFromText, readGolden, rowsOf } from "../testing/golden.ts";

for (const name of process.argv.slice(2)) {
  const golden = readGolden(name);
  const builder = new BatchBuilder(golden.rows.length);
  for (const row of rowsOf(golden)) builder.add(row);
  const { partition, collectorId, closedTimeMs: closedTime } = golden;
  const sealed = seal(builder.take(), { partition, collectorId, codec: Codec[golden.codec], closedTime });
  sealed.batchId = idFromText(golden.batchId);
  writeFileSync(join(import.meta.dirname, `${name}.bin`), sealedBytes(sealed));
}
