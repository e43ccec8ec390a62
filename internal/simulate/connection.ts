import { type ClientHttp2Stream, constants } from "node:http2";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { CollectService } from "../gen/footfall/collect/v1/collect_pb.js";

export type CollectClient = Client<typeof CollectService>;

/**
 * The connection to a collector; it is made when it is first used, and again after it was lost.
 *
 * Keep-alive pings are off: connect-node's throw, uncaught, on a session that has just been destroyed
 * (connectrpc/connect-es#1795). Instead a try that is not answered in time replaces the connection.
 */
export class Connection {
  readonly #target: string;
  readonly #sessions: Sessions[] = [];
  #client: CollectClient;

  /** @param target such as "http://127.0.0.1:4317". */
  constructor(target: string) {
    this.#target = target;
    this.#client = this.#connect();
  }

  get client(): CollectClient {
    return this.#client;
  }

  /** Uses another connection from now on, unless `silent` was replaced already. */
  replace(silent: CollectClient): void {
    if (silent === this.#client) this.#client = this.#connect();
  }

  /** Closes what is open; requests that still wait for an answer fail. */
  close(): void {
    for (const session of this.#sessions) session.abort();
  }

  #connect(): CollectClient {
    const sessionManager = new Sessions(this.#target);
    this.#sessions.push(sessionManager);
    const options = { baseUrl: this.#target, acceptCompression: [], sessionManager };
    return createClient(CollectService, createGrpcTransport(options));
  }
}

/**
 * A stream that is closed without an error code and without an answer, as happens to one that is opened while
 * the connection is being lost, would keep connect-node waiting until the time of the try is over.
 */
class Sessions extends Http2SessionManager {
  override async request(...args: Parameters<Http2SessionManager["request"]>): Promise<ClientHttp2Stream> {
    const stream = await super.request(...args);
    // A session that ends just as the connection is closed has no listener of connect-node's any more, and its
    // error would end the process.
    if (stream.session?.listeners("error").includes(ignore) === false) stream.session.on("error", ignore);
    if (stream.closed) throw lost();
    let answered = false;
    stream.once("response", () => {
      answered = true;
    });
    stream.once("close", () => {
      if (!answered && stream.rstCode === constants.NGHTTP2_NO_ERROR) stream.emit("error", lost());
    });
    return stream;
  }
}

function ignore(): void {}

function lost(): ConnectError {
  return new ConnectError("the connection was lost before an answer", Code.Unavailable);
}
