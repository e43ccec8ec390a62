import { OwnTextHashes } from "./hashes.ts";
import type { Step } from "./step.ts";

/**
 * The session: the SDK's session id. Without one it depends on what else the visitor did, in other batches too:
 * such rows are marked, and storage finds their session (store/sessions).
 */
export const session: Step = {
  name: "session",
  version: 2,
  run(batch, { sessions, sessionless }) {
    const ids = batch.text("sessionId");
    const known = new OwnTextHashes(batch, "session", sessions);
    for (let row = 0; row < batch.rows; row++) {
      const id = ids?.[row] ?? 0;
      if (id === 0) {
        sessionless[row] = 1;
        continue;
      }
      known.write(row, id);
    }
  },
};
