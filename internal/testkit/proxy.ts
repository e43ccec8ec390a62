import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A network between a client and a server, which can fail. */
export interface Proxy {
  readonly port: number;
  /** From now on what the server sends is lost on the way, on the connections of this moment. */
  loseAnswers(): void;
  /** From now on nothing gets through, also on new connections, until the function returned is called. */
  stall(): () => void;
  /** Breaks all connections; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

/** Starts a TCP proxy on 127.0.0.1 in front of a server there. */
export async function startProxy(target: number): Promise<Proxy> {
  const pairs = new Set<{ client: Socket; server: Socket }>();
  let stalled = false;
  const join = ({ client, server }: { client: Socket; server: Socket }) => {
    client.pipe(server);
    server.pipe(client);
  };
  const part = ({ client, server }: { client: Socket; server: Socket }) => {
    client.unpipe(server).pause();
    server.unpipe(client).pause();
  };
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
    if (!stalled) join(pair);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const { client } of pairs) client.destroy();
  };
  return {
    port: (listener.address() as AddressInfo).port,
    loseAnswers() {
      for (const { client, server } of pairs) server.unpipe(client).resume();
    },
    stall() {
      stalled = true;
      for (const pair of pairs) part(pair);
      return () => {
        stalled = false;
        for (const pair of pairs) join(pair);
      };
    },
    cut,
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      cut();
      await closed;
    },
  };
}
