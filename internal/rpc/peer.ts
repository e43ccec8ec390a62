import { createContextKey } from "@connectrpc/connect";

/** Address of the connection's other end, or what its PROXY header tells; of every call of a server. */
export const peerKey = createContextKey<string>("", { description: "address of the connection's other end" });
