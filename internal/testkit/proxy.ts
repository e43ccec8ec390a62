import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Transform } from "node:stream";

/** A network between a client and a server, which can fail. */
export interface Proxy {
  readonly port: number;
  /** From now on what the server sends is lost on the way, on the connections of this moment. */
  loseAnswers(): void;
  /** From now on nothing passes on the connections of this moment, and nobody is told. */
  stall(): void;
  /** From now on what the server sends comes this much later, ms. */
  delay(ms: number): void;
  /** Breaks all connections; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

/** Starts a TCP proxy on 127.0.0.1 in front of a server there. */
export async function startProxy(target: number): Promise<Proxy> {
  const pairs = new Set<{ client: Socket; server: Socket; answers: Transform }>();
  let delayMs = 0;
  const delayed = () =>
    new Transform({
      transform(chunk, _, done) {
        if (delayMs > 0) setTimeout(done, delayMs, null, chunk);
        else done(null, chunk);
      },
    });
  const listener = createServer((client) => {
    const server = connect(target, "127.0.0.1");
    const answers = delayed();
    const pair = { client, server, answers };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("error", end).on("close", end);
    client.pipe(server);
    server.pipe(answers).pipe(client);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const { client } of pairs) client.destroy();
  };
  return {
    port: (listener.address() as AddressInfo).port,
    loseAnswers() {
      for (const { client, answers } of pairs) answers.unpipe(client).resume();
    },
    stall() {
      for (const { client, server, answers } of pairs) {
        client.unpipe(server);
        answers.unpipe(client);
      }
    },
    delay(ms) {
      delayMs = ms;
    },
    cut,
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      cut();
      await closed;
    },
  };
}
