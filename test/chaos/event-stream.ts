import { Code, ConnectError } from "@connectrpc/connect";
import type { EventStatus, StreamRequest } from "../../internal/gen/footfall/collect/v1/collect_pb.js";
import type { Event } from "../../internal/gen/footfall/event/v1/event_pb.js";
import type { CollectClient } from "../../internal/simulate/connection.ts";

interface Waiting {
  readonly resolve: (statuses: EventStatus[]) => void;
  readonly reject: (error: ConnectError) => void;
}

/** A CollectService.Stream of one merchant. When it ends, all that is not answered fails. */
export class EventStream {
  readonly #abort = new AbortController();
  readonly #waiting = new Map<bigint, Waiting>();
  readonly #outbox: StreamRequest[] = [];
  #wake = Promise.withResolvers<void>();
  #sequence = 0n;

  constructor(client: CollectClient, writeKey: string) {
    void this.#read(client, writeKey);
  }

  get isOpen(): boolean {
    return !this.#abort.signal.aborted;
  }

  /** @throws ConnectError when the stream ends first; one that does not answer in time is ended. */
  send(events: Event[], timeoutMs: number): Promise<EventStatus[]> {
    const sequence = ++this.#sequence;
    const { promise, resolve, reject } = Promise.withResolvers<EventStatus[]>();
    this.#waiting.set(sequence, { resolve, reject });
    this.#outbox.push({ $typeName: "footfall.collect.v1.StreamRequest", events, sequence });
    this.#wake.resolve();
    const late = new ConnectError("no answer on the stream", Code.DeadlineExceeded);
    const timer = setTimeout(() => this.end(late), timeoutMs);
    return promise.finally(() => clearTimeout(timer));
  }

  end(why: ConnectError): void {
    this.#abort.abort(why);
    this.#wake.resolve();
    for (const { reject } of this.#waiting.values()) reject(why);
    this.#waiting.clear();
  }

  async #read(client: CollectClient, writeKey: string): Promise<void> {
    const headers = { authorization: `Bearer ${writeKey}` };
    try {
      const answers = client.stream(this.#requests(), { headers, signal: this.#abort.signal });
      for await (const { sequence, statuses } of answers) {
        this.#waiting.get(sequence)?.resolve(statuses);
        this.#waiting.delete(sequence);
      }
      this.end(new ConnectError("the stream ended", Code.Unavailable));
    } catch (error) {
      this.end(ConnectError.from(error));
    }
  }

  async *#requests(): AsyncIterable<StreamRequest> {
    while (this.isOpen) {
      for (let next = this.#outbox.shift(); next !== undefined; next = this.#outbox.shift()) yield next;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
  }
}
