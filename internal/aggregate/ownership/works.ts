/** Why a work has to end. */
export type EndReason = "released" | "lost";

interface Work {
  readonly end: AbortController;
  readonly ended: Promise<void>;
}

/** What runs for each resource that this process owns. At most one at a time for each. */
export class Works {
  readonly #run: (resource: string, signal: AbortSignal) => Promise<void>;
  readonly #works = new Map<string, Work>();

  /** @param run works a resource until its signal is aborted, with an EndReason as the abort's reason. */
  constructor(run: (resource: string, signal: AbortSignal) => Promise<void>) {
    this.#run = run;
  }

  /** Resources that are worked, also those that are about to end. */
  get resources(): string[] {
    return [...this.#works.keys()];
  }

  has(resource: string): boolean {
    return this.#works.has(resource);
  }

  /** Whether it is worked and was not told to end. */
  isActive(resource: string): boolean {
    return this.#works.get(resource)?.end.signal.aborted === false;
  }

  /** Starts what is not there. */
  start(resource: string): void {
    if (this.#works.has(resource)) return;
    const end = new AbortController();
    const ended = this.#run(resource, end.signal).finally(() => this.#works.delete(resource));
    this.#works.set(resource, { end, ended });
  }

  /** Tells a work to end; resolves when it has, with what it was doing finished. */
  async end(resource: string, reason: EndReason): Promise<void> {
    const work = this.#works.get(resource);
    work?.end.abort(reason);
    await work?.ended;
  }
}
