import { connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { listen } from "./listen.ts";

const ANY_PORT = { host: "127.0.0.1", port: 0 };

test("connections that cannot be accepted are told of, however many, and later ones are taken", async () => {
  const told: Error[] = [];
  const server = createServer((socket) => socket.end("hello"));
  const port = await listen(server, ANY_PORT, (error) => told.push(error));
  const refused = [1, 2, 3].map(() => Object.assign(new Error("accept EMFILE"), { code: "EMFILE" }));
  for (const error of refused) server.emit("error", error);
  expect(told).toEqual(refused);
  const answer = await new Promise((resolve) => connect(port, "127.0.0.1").once("data", resolve));
  expect(String(answer)).toBe("hello");
  await new Promise((resolve) => server.close(resolve));
});

test("an address that is taken is an error", async () => {
  const first = createServer();
  const port = await listen(first, ANY_PORT);
  await expect(listen(createServer(), { ...ANY_PORT, port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  await new Promise((resolve) => first.close(resolve));
});
