import { expect, test } from "vitest";
import { GroupCommit } from "./group-commit.ts";

const BATCH = { batchId: new Uint8Array(16), partition: 0, rows: 1, bytes: new Uint8Array(10) };

test("what is removed as the last transaction ends is removed, however soon after its end", async () => {
  for (let turns = 0; turns < 20; turns++) {
    const removed: number[] = [];
    const commits = new GroupCommit(async (insert, remove) => {
      removed.push(...remove);
      return insert.map(() => 7);
    });
    const position = await commits.write(BATCH);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    commits.remove(position);
    await expect.poll(() => removed, { message: `${turns} turns later`, interval: 1 }).toEqual([7]);
    await commits.close();
  }
});
