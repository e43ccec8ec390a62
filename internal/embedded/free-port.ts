import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below the ports that Linux gives to outgoing connections (32,768 on), which come and go: a server that is
 * started again must find its port free.
 */
const FIRST = 15_000;
const LAST = 32_000;
const TRIES = 100;

/**
 * A TCP port of 127.0.0.1 that nobody uses now, chosen by chance, so that two processes that look at the same
 * moment hardly ever find the same one.
 * @throws when none is found.
 */
export async function freePort(): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) return port;
  }
  throw new Error(`ports: none of ${TRIES} tried from ${FIRST} to ${LAST} is free`);
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
