import { Code, ConnectError } from "@connectrpc/connect";
import type { EventStatus, SendRequest } from "../../internal/gen/footfall/collect/v1/collect_pb.js";
import type { Event } from "../../internal/gen/footfall/event/v1/event_pb.js";
import { Connection } from "../../internal/simulate/connection.ts";
import { EventStream } from "./event-stream.ts";

/** One SDK's way to one collector. */
export interface Transport {
  /** @throws ConnectError when the events are not answered within `timeoutMs`. */
  send(writeKey: string, events: Event[], timeoutMs: number): Promise<EventStatus[]>;
  close(): void;
}

/** One request after another, each an RPC of its own. */
export class UnaryTransport implements Transport {
  readonly #connection: Connection;

  constructor(target: string) {
    this.#connection = new Connection(target);
  }

  async send(writeKey: string, events: Event[], timeoutMs: number): Promise<EventStatus[]> {
    const { client } = this.#connection;
    const message: SendRequest = { $typeName: "footfall.collect.v1.SendRequest", events };
    try {
      const headers = { authorization: `Bearer ${writeKey}` };
      return (await client.send(message, { headers, timeoutMs })).statuses;
    } catch (error) {
      const failure = ConnectError.from(error);
      if (failure.code === Code.DeadlineExceeded) this.#connection.replace(client);
      throw failure;
    }
  }

  close(): void {
    this.#connection.close();
  }
}

/** One long stream a merchant, on which requests and answers pass one another. */
export class StreamTransport implements Transport {
  readonly #connection: Connection;
  readonly #streams = new Map<string, EventStream>();

  constructor(target: string) {
    this.#connection = new Connection(target);
  }

  async send(writeKey: string, events: Event[], timeoutMs: number): Promise<EventStatus[]> {
    const { client } = this.#connection;
    const known = this.#streams.get(writeKey);
    const stream = known?.isOpen ? known : new EventStream(client, writeKey);
    this.#streams.set(writeKey, stream);
    try {
      return await stream.send(events, timeoutMs);
    } catch (error) {
      const failure = ConnectError.from(error);
      if (failure.code === Code.DeadlineExceeded) this.#connection.replace(client);
      throw failure;
    }
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.end(new ConnectError("closed", Code.Canceled));
    this.#connection.close();
  }
}
