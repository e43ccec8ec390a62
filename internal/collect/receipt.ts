/** What became of a batch. */
export type Outcome =
  | { readonly stored: true }
  /** Not known to be stored: its events should be sent again. */
  | { readonly stored: false; readonly retry: true; readonly message: string }
  /** Refused by ingest for good. */
  | { readonly stored: false; readonly retry: false; readonly message: string };

/** The claim on a batch's outcome that its events hold. */
export class Receipt {
  readonly settled: Promise<Outcome>;
  #outcome: Outcome | undefined;
  readonly #resolve: (outcome: Outcome) => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.settled = promise;
    this.#resolve = resolve;
  }

  /** The outcome, once it is known. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /** Settles the receipt, once; a later call changes nothing. */
  settle(outcome: Outcome): void {
    this.#outcome ??= outcome;
    this.#resolve(this.#outcome);
  }
}
