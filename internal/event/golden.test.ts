import { readFileSync } from "node:fs";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { Codec, EventBatchSchema } from "../gen/footfall/event/v1/batch_pb.js";
import { BatchBuilder } from "./batch-builder.ts";
import { checkBatch } from "./batch-check.ts";
import { BatchView } from "./batch-view.ts";
import { partitionOf } from "./partition.ts";
import { open } from "./seal.ts";
import { goldenBytes, readGolden, rowsOf } from "./testing/golden.ts";
import { readSealed } from "./testing/read-sealed.ts";
import { viewRows } from "./testing/view-rows.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/batch-format.md"), "utf8");

describe.each(["minimal", "full"])("the golden batch %s", (name) => {
  const golden = readGolden(name);
  const bytes = goldenBytes(name);

  test("is read by the page docs/batch-format.md alone", () => {
    const { sealed, rows } = readSealed(bytes);
    expect(rows).toEqual(golden.rows);
    expect({
      batchId: Buffer.from(sealed.batchId).toString("hex"),
      partition: sealed.partition,
      rows: sealed.rows,
      codec: Codec[sealed.codec],
      collectorId: sealed.collectorId,
      closedTimeMs: Number(sealed.closedTimeMs),
    }).toEqual({
      batchId: golden.batchId.replaceAll("-", ""),
      partition: golden.partition,
      rows: golden.rows.length,
      codec: golden.codec,
      collectorId: golden.collectorId,
      closedTimeMs: golden.closedTimeMs,
    });
  });

  test("is read by this code", () => {
    const { sealed, batch, problem } = open(bytes);
    expect(problem).toBeUndefined();
    expect(checkBatch(sealed!, batch!, golden.partitions)).toBeUndefined();
    const withoutSent = golden.rows.map(({ sentTime: _, ...row }) => row);
    expect(viewRows(new BatchView(sealed!.batchId, batch!))).toEqual(withoutSent);
  });

  test("is what this code makes of the same rows", () => {
    const builder = new BatchBuilder(golden.rows.length);
    for (const row of rowsOf(golden)) builder.add(row);
    const payload = toBinary(EventBatchSchema, builder.take());
    expect(Buffer.from(payload)).toEqual(Buffer.from(toBinary(EventBatchSchema, readSealed(bytes).batch)));
  });
});

test("the full golden batch uses every column", () => {
  const { batch } = readSealed(goldenBytes("full"));
  const { properties, orders, items, ...columns } = batch;
  for (const message of [columns, properties!, orders!, items!]) {
    for (const [name, column] of Object.entries(message)) {
      if (column instanceof Uint8Array) expect([name, column.length]).not.toEqual([name, 0]);
    }
  }
});

describe("docs/batch-format.md", () => {
  test("its worked example is the minimal golden batch", () => {
    const example = PAGE.split("```hex")[1]!.split("```")[0]!;
    const hex = example.replaceAll(/#.*$/gm, "").replaceAll(/\s/g, "");
    expect(hex).toBe(Buffer.from(goldenBytes("minimal")).toString("hex"));
  });

  test("its partitions are those of the code", () => {
    const lines = [...PAGE.matchAll(/^\| (\d+) \| 0x[0-9a-f]{8} \| (\d+) \| (\d+) \|$/gm)];
    expect(lines).toHaveLength(8);
    for (const [, merchant, of64, of4] of lines) {
      expect([partitionOf(Number(merchant), 64), partitionOf(Number(merchant), 4)]).toEqual([
        Number(of64),
        Number(of4),
      ]);
    }
  });
});
