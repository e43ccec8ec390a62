import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSimulateConfig } from "./settings.ts";

test("flags go before variables, and there are as many merchants as keys", async () => {
  const env = { FOOTFALL_SIMULATE_BATCH: "7", FOOTFALL_SIMULATE_RATE: "9", FOOTFALL_LOG_LEVEL: "info" };
  const config = await readSimulateConfig(["--write-keys", "a, b,c", "--batch", "8", "--json"], env);
  expect(config).toMatchObject({ batch: 8, rate: 9, merchants: 3, json: true, writeKeys: ["a", "b", "c"] });
});

test("a file of keys is read one a line, and merchants may be fewer", async () => {
  const folder = await mkdtemp(join(tmpdir(), "footfall-keys-"));
  const file = join(folder, "keys");
  await writeFile(file, "k1\r\nk2\n\nk3\n");
  const config = await readSimulateConfig(["--write-keys-file", file, "--merchants", "2"], {});
  await rm(folder, { recursive: true });
  expect(config.writeKeys).toEqual(["k1", "k2"]);
});

test.each([
  [[], "--write-keys"],
  [["--write-keys", "a", "--merchants", "2"], "--merchants: 2 is more than the 1 write keys"],
  [["--write-keys", "a", "--batch", "1001"], "--batch"],
  [["--write-keys", "a", "--history-days", "3", "--events", "0"], "--events: 0"],
  [["--write-keys-file", "/nowhere/keys"], "/nowhere/keys cannot be read"],
])("%j is refused: %s", async (flags, message) => {
  await expect(readSimulateConfig(flags, {})).rejects.toThrow(message);
});
