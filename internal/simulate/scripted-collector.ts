import { createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { CollectService, EventStatus, type SendRequest } from "../gen/footfall/collect/v1/collect_pb.js";

/** What the collector does with one try: the statuses of its events, or an error that it throws. */
export type Script = (request: SendRequest, context: HandlerContext, collector: ScriptedCollector) => Reply;
type Reply = EventStatus[] | Promise<EventStatus[]>;

/** A collector for tests, which answers by a script and remembers what is safe. */
export class ScriptedCollector {
  /** Ids of the events that it has stored. */
  readonly stored = new Set<string>();
  /** Told with answers in which events are to be sent again, ms. */
  retryAfterMs = 0;
  /** How many tries it has seen. */
  tries = 0;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #server;

  constructor(script: Script) {
    const send = async (request: SendRequest, context: HandlerContext) => {
      this.tries++;
      const statuses = await script(request, context, this);
      const again = statuses.includes(EventStatus.UNAVAILABLE) && this.retryAfterMs > 0;
      return again ? { statuses, retryAfter: durationFromMs(this.retryAfterMs) } : { statuses };
    };
    this.#server = createServer(
      connectNodeAdapter({ routes: (router) => router.service(CollectService, { send }) }),
    );
    this.#server.on("session", (session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
    });
  }

  /** Stores events: ACCEPTED at first sight, DUPLICATE later. */
  store({ events }: SendRequest): EventStatus[] {
    return events.map(({ eventId }) => {
      if (this.stored.has(eventId)) return EventStatus.DUPLICATE;
      this.stored.add(eventId);
      return EventStatus.ACCEPTED;
    });
  }

  /** Cuts all connections, in the middle of what they carry. */
  cut(): void {
    for (const session of this.#sessions) session.destroy();
  }

  /** @returns its address. */
  async listen(port = 0): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.listen(port, "127.0.0.1", resolve);
    await promise;
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
