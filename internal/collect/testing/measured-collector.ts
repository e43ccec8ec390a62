import { type Taken, watchLoop } from "./hold.ts";
import { startRig } from "./rig.ts";

/** A collector of a process of its own, with ingest behind it: tells its port, and what each task took. */
const rig = await startRig({ maxRequests: 100_000 });
let stop: (() => Promise<Taken>) | undefined;
const tell = (what: unknown) => void process.send?.(what as object);
process.on("message", async (task: "begin" | "end" | "close") => {
  if (task === "begin") {
    stop = watchLoop();
    tell("began");
  } else if (task === "end") tell(await stop?.());
  else {
    await rig.close();
    process.disconnect?.();
  }
});
tell(rig.port);
