import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Transform } from "node:stream";

/** A network between a client and a server, which can fail. */
export interface Proxy {
  readonly port: number;
  /** From now on what the server sends is lost on the way, on the connections of this moment. */
  loseAnswers(): void;
  /** From now on nothing passes on the connections of this moment, and nobody is told; new ones work. */
  silence(): void;
  /** From now on nothing passes, on new connections neither, until the function returned is called. */
  stall(): () => void;
  /** From now on what the server sends comes this much later, ms. */
  delay(ms: number): void;
  /** Breaks all connections; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** What the server sends, on its way. */
  readonly answers: Transform;
}

/** Starts a TCP proxy on 127.0.0.1 in front of a server there. @param port any free one by default. */
export async function startProxy(target: number, port = 0): Promise<Proxy> {
  const pairs = new Set<Pair>();
  const state = { delayMs: 0, stalled: false };
  const listener = createServer((client) => {
    const pair = { client, server: connect(target, "127.0.0.1"), answers: delayed(state) };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      pair.server.destroy();
    };
    for (const socket of [client, pair.server]) socket.on("error", end).on("close", end);
    pair.server.pipe(pair.answers);
    if (!state.stalled) join(pair);
  });
  await new Promise<void>((resolve) => listener.listen(port, "127.0.0.1", resolve));
  const cut = () => {
    for (const { client } of pairs) client.destroy();
  };
  return {
    port: (listener.address() as AddressInfo).port,
    loseAnswers() {
      for (const { client, answers } of pairs) answers.unpipe(client).resume();
    },
    silence() {
      for (const pair of pairs) part(pair);
    },
    stall() {
      state.stalled = true;
      for (const pair of pairs) part(pair);
      return () => {
        state.stalled = false;
        for (const pair of pairs) join(pair);
      };
    },
    delay(ms) {
      state.delayMs = ms;
    },
    cut,
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      cut();
      await closed;
    },
  };
}

function delayed(state: { readonly delayMs: number }): Transform {
  return new Transform({
    transform(chunk, _, done) {
      if (state.delayMs > 0) setTimeout(done, state.delayMs, null, chunk);
      else done(null, chunk);
    },
  });
}

function join({ client, server, answers }: Pair): void {
  client.pipe(server);
  answers.pipe(client);
}

function part({ client, server, answers }: Pair): void {
  client.unpipe(server).pause();
  answers.unpipe(client).pause();
}
