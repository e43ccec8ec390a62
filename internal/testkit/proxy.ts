import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A network between a client and a server, which can fail. */
export interface Proxy {
  readonly port: number;
  /** From now on what the server sends is lost on the way, on the connections of this moment. */
  loseAnswers(): void;
  /** Breaks all connections; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

/** Starts a TCP proxy on 127.0.0.1 in front of a server there. @param port any free one by default. */
export async function startProxy(target: number, port = 0): Promise<Proxy> {
  const pairs = new Set<{ client: Socket; server: Socket }>();
  const listener = createServer((client) => {
    const server = connect(target, "127.0.0.1");
    const pair = { client, server };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("error", end).on("close", end);
    client.pipe(server);
    server.pipe(client);
  });
  await new Promise<void>((resolve) => listener.listen(port, "127.0.0.1", resolve));
  const cut = () => {
    for (const { client } of pairs) client.destroy();
  };
  return {
    port: (listener.address() as AddressInfo).port,
    loseAnswers() {
      for (const { client, server } of pairs) server.unpipe(client).resume();
    },
    cut,
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      cut();
      await closed;
    },
  };
}
