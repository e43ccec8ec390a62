import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

/** Waits until nobody reads its standard error any more, logs, and exits at once. */
const PROGRAM = `
  import { createLogger } from ${JSON.stringify(new URL("./logger.ts", import.meta.url).href)};
  const logger = createLogger("test", "info");
  process.stdin.once("end", () => {
    for (let i = 0; i < 3; i++) logger.info("line " + i);
    process.exit(7);
  }).resume();
`;

/** Runs it; `closed`: its standard error is a pipe whose reader has gone away. */
async function run(closed: boolean): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", PROGRAM], {
    stdio: ["pipe", "ignore", "pipe"],
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  if (closed) {
    child.stderr.destroy();
    await once(child.stderr, "close");
  }
  child.stdin.end();
  const [code] = (await once(child, closed ? "exit" : "close")) as [number | null];
  return { code, said };
}

test("what was logged just before the end is written, a JSON line each", async () => {
  const { code, said } = await run(false);
  expect(code).toBe(7);
  const lines = said.trim().split("\n");
  const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  expect(messages).toEqual(["line 0", "line 1", "line 2"]);
});

test("a program whose log nobody reads any more still ends", async () => {
  expect(await run(true)).toEqual({ code: 7, said: "" });
});
