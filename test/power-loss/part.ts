/** A program that keeps what it acked on a disk. What it holds are events, known by their ids (UUIDs). */
export interface Part {
  /** Starts it on the disk, at first or after a cut. */
  start(): Promise<void>;
  /** Called before each load. */
  ready(): Promise<void>;
  /** Brings an event to it. @throws when it was not acked. */
  send(id: string): Promise<void>;
  /** kill -9 of all its processes; resolves when they are gone. */
  kill(): Promise<void>;
  /** The ids of all events that it has, or has handed on. @throws when it contradicts itself. */
  stored(): Promise<string[]>;
  /** Ends it, and what it needs beside it. */
  close(): Promise<void>;
}

/** Ends a process at once, as a loss of power does. */
export async function killChild(
  child: { readonly pid: number; readonly exited: Promise<unknown> } | undefined,
): Promise<void> {
  if (child === undefined) return;
  try {
    process.kill(child.pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
  await child.exited;
}
