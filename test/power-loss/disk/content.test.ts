import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../internal/embedded/temporary.ts";
import { Content } from "./content.ts";

const SIZE = fc.integer({ min: 0, max: 20_000 });
const STEP = fc.oneof(
  fc.record({ do: fc.constant("write" as const), offset: SIZE, length: SIZE, byte: fc.nat(255) }),
  fc.record({ do: fc.constant("truncate" as const), size: SIZE }),
  fc.record({ do: fc.constant("sync" as const) }),
);

/** A file as an array of bytes. */
function writeTo(file: Buffer, offset: number, bytes: Buffer): Buffer {
  const grown = Buffer.alloc(Math.max(file.length, offset + bytes.length));
  file.copy(grown);
  bytes.copy(grown, offset);
  return grown;
}

test("a file reads as it was written, and after a cut as it was at its last fsync", async () => {
  const folder = await temporaryDirectory("content");
  let files = 0;
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 20 }), (steps) => {
      const path = join(folder.path, String(++files));
      const content = new Content(path);
      let now: Buffer = Buffer.alloc(0);
      let durable = now;
      for (const step of steps) {
        if (step.do === "write" && step.length > 0) {
          const bytes = Buffer.alloc(step.length, step.byte);
          content.write(step.offset, bytes);
          now = writeTo(now, step.offset, bytes);
        } else if (step.do === "truncate") {
          content.truncate(step.size);
          now = writeTo(now.subarray(0, step.size), step.size, Buffer.alloc(0));
        } else if (step.do === "sync") {
          content.sync();
          durable = now;
        }
        expect(content.read(0, 100_000).equals(now)).toBe(true);
      }
      const after = new Content(path);
      expect(after.size).toBe(durable.length);
      expect(after.read(0, 100_000).equals(durable)).toBe(true);
    }),
  );
  await folder.remove();
});
