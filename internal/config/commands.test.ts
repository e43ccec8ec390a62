import { expect, test, vi } from "vitest";
import { type CommandProgram, defineCommand, readCommand } from "./commands.ts";
import { ConfigError } from "./config-error.ts";
import { flag, integer, optional, text } from "./setting.ts";

const command = defineCommand<string>();
const parts = { run: async (deps: string) => deps, table: (result: string) => result };
const password = { env: "SAMPLE_PASSWORD", description: "a secret", schema: text(), secret: true };

const sample: CommandProgram<string> = {
  name: "sample",
  description: "A sample.",
  settings: {
    password,
    host: { env: "SAMPLE_HOST", description: "where", schema: text(), fallback: "here" },
  },
  commands: [
    command({ name: "start", description: "Starts.", example: "", settings: {}, ...parts }),
    command({
      name: "shops add",
      description: "Adds a shop.",
      example: "--shop-name Tea",
      settings: {
        shopName: { description: "its name", schema: text() },
        size: { description: "how many", schema: integer(0, 9), fallback: "3" },
        tags: optional({ description: "what it is", schema: text(), isList: true }),
        dryRun: flag("change nothing"),
      },
      ...parts,
    }),
    command({ name: "shops remove", description: "Removes.", example: "", settings: {}, ...parts }),
  ],
};

const read = (argv: string, env: NodeJS.ProcessEnv = { SAMPLE_PASSWORD: "hunter2" }) =>
  readCommand(sample, argv === "" ? [] : argv.split(" "), env, new Set());

test("the command that is named, with its settings and those of the program", () => {
  const { command: chosen, config } = read("shops add --shop-name Tea --tags a --tags b,c --dry-run --json");
  const { password: secret, ...others } = config as typeof config & { password: () => string };
  expect(chosen.name).toBe("shops add");
  expect(secret()).toBe("hunter2");
  expect(others).toEqual({
    host: "here",
    shopName: "Tea",
    size: 3,
    tags: "a,b,c",
    dryRun: true,
    json: true,
  });
  expect(read("start --host there").config).toMatchObject({ host: "there", json: false });
});

test("what may be left out is undefined, and not the same as empty", () => {
  expect(read("shops add --shop-name Tea").config).toMatchObject({ tags: undefined, dryRun: false });
  expect(() => read("shops add --shop-name Tea --tags=")).toThrow('sample shops add: --tags: "" is empty');
});

test.each([
  ["", "sample: a command is missing; there are start, shops"],
  ["shops", "sample shops: a command is missing; there are add, remove"],
  ["shop add", "sample: unknown command 'shop' (Did you mean shops?); there are start, shops"],
  ["shops ad", "sample shops: unknown command 'ad' (Did you mean add?); there are add, remove"],
  ["toString", "sample: unknown command 'toString'; there are start, shops"],
  ["help", "sample: unknown command 'help'; there are start, shops"],
  ["shops add --shop-nam x", "sample shops add: unknown option '--shop-nam' (Did you mean --shop-name?)"],
  ["shops remove --size 3", "sample shops remove: unknown option '--size'"],
  ["shops add x", "sample shops add: too many arguments for 'add'. Expected 0 arguments but got 1."],
  ["shops add", "sample shops add: --shop-name is required: its name"],
  ["shops add --shop-name x --size 10", 'sample shops add: --size: "10" is above 9'],
  ["start --password hunter3", "sample start: unknown option '--password'"],
  ["start --password=hunter3", "sample start: unknown option '--password'"],
])("%j is refused: %s", (argv, message) => {
  expect(() => read(argv)).toThrow(new ConfigError(message));
});

test("a secret comes from its variable alone, and is asked for there", () => {
  expect(() => read("start", {})).toThrow(
    "sample start: SAMPLE_PASSWORD or SAMPLE_PASSWORD_FILE is required: a secret",
  );
});

/** What `--help` prints. */
function helpOf(argv: string): string {
  const exit = vi.spyOn(process, "exit").mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    expect(() => read(`${argv} --help`.trim(), {})).toThrow("exit 0");
    return written.mock.calls.map(([shown]) => shown).join("");
  } finally {
    exit.mockRestore();
    written.mockRestore();
  }
}

test("help of a command: its flags alone with their defaults, what is a variable, and an example", () => {
  expect(helpOf("shops add")).toBe(
    [
      "Usage: sample shops add [options]",
      "",
      "Adds a shop.",
      "",
      "Options:",
      "  --host <value>       where [SAMPLE_HOST; default: here]",
      "  --shop-name <value>  its name [required]",
      "  --size <value>       how many [default: 3]",
      "  --tags <value>       what it is",
      "  --dry-run            change nothing",
      "  --json               print the result as one line of JSON",
      "  -h, --help           display help for command",
      "",
      "Variables, or NAME_FILE with the file that holds the value:",
      "  SAMPLE_PASSWORD  a secret [required]",
      "",
      "Example:",
      "  sample shops add --shop-name Tea",
      "",
    ].join("\n"),
  );
});

test("help of a group and of the program: their commands", () => {
  expect(helpOf("shops")).toMatch(/ add \[options\] +Adds a shop\.\n +remove \[options\] +Removes\.\n/);
  expect(helpOf("")).toMatch(/ start \[options\] +Starts\.\n +shops +add, remove\n/);
});
