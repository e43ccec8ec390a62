import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { ChangingFile } from "../config/changing-file.ts";
import type { Pems } from "../config/pem-files.ts";

/** A port's certificate and key at each moment. */
export type ServerTls = ChangingFile<Pems>;

/**
 * Speaks TLS on a connection that was accepted, with the certificate of this moment; a client that does not is cut off.
 * @param timeoutMs how long a client may take for the handshake.
 * @param then gets the connection when the handshake is done; its other end has the address that `socket` shows.
 */
export function secure(socket: Socket, tls: ServerTls, timeoutMs: number, then: (secured: Socket) => void) {
  const { remoteAddress } = socket;
  const secureContext = tls.value.context;
  const secured = new TLSSocket(socket, {
    isServer: true,
    secureContext,
    ALPNProtocols: ["h2", "http/1.1"],
  });
  // What a balancer told of it; of a plain connection it is the same.
  Object.defineProperty(secured, "remoteAddress", { value: remoteAddress });
  const deadline = setTimeout(() => secured.destroy(), timeoutMs);
  secured.on("error", () => secured.destroy());
  secured.once("close", () => {
    clearTimeout(deadline);
    socket.destroy();
  });
  secured.once("secure", () => {
    clearTimeout(deadline);
    // As tls.Server does it: HTTP/2 would go on waiting for the handshake.
    Object.assign(secured, { secureConnecting: false });
    then(secured);
  });
}
