import type { BatchView } from "../../event/batch-view.ts";
import type { DerivingTexts } from "./step.ts";

/** Derives texts from each entry of a text column, once for all rows of the batch that have it. */
export function deriveOnce(
  batch: BatchView,
  keys: Uint32Array | undefined,
  target: DerivingTexts,
  derive: (text: string) => readonly (string | null)[] | undefined,
): void {
  target.keys = keys;
  if (keys === undefined) return;
  const seen = new Uint8Array(batch.dictionary.size + 1);
  seen[0] = 1;
  for (let row = 0; row < batch.rows; row++) {
    const key = keys[row]!;
    if (seen[key] === 1) continue;
    seen[key] = 1;
    target.texts[key] = derive(batch.dictionary.text(key)!);
  }
}
