import { expect, test, vi } from "vitest";
import type { ConfigError } from "./config-error.ts";
import { readConfig } from "./read-config.ts";
import { choice, integer, optionalText, port, type Settings, text, yesNo } from "./setting.ts";

const settings = {
  host: { env: "FOOTFALL_HOST", flag: "host", description: "where", schema: text(), fallback: "127.0.0.1" },
  port: { env: "FOOTFALL_PORT", flag: "port", description: "which", schema: port(), fallback: "80" },
  token: { env: "FOOTFALL_TOKEN", description: "a secret", schema: text(), secret: true },
  size: { env: "SIZE", flag: "size", description: "how many", schema: integer(-5, 10), fallback: "1" },
  level: { env: "LEVEL", flag: "level", description: "b", schema: choice(["low", "high"]), fallback: "low" },
  file: { env: "FILE", flag: "file", description: "c", schema: optionalText(), fallback: "" },
  follow: {
    env: "FOLLOW",
    flag: "follow",
    description: "go on",
    schema: yesNo(),
    fallback: "false",
    isSwitch: true,
  },
} as const satisfies Settings;
const program = { name: "sample", description: "A sample.", settings };
const KNOWN = new Set(["FOOTFALL_HOST", "FOOTFALL_PORT", "FOOTFALL_TOKEN", "FOOTFALL_ELSEWHERE"]);

const read = (argv: string[], env: NodeJS.ProcessEnv = { FOOTFALL_TOKEN: "t" }) =>
  readConfig(program, argv, env, KNOWN);

/** The message with which a configuration is refused. */
function refusal(argv: string[], env?: NodeJS.ProcessEnv): string {
  try {
    read(argv, env);
  } catch (error) {
    expect((error as ConfigError).name).toBe("ConfigError");
    return (error as ConfigError).message;
  }
  throw new Error("was not refused");
}

test("defaults, typed", () => {
  const { token, ...others } = read([]);
  expect(token()).toBe("t");
  expect(others).toEqual({
    host: "127.0.0.1",
    port: 80,
    size: 1,
    level: "low",
    file: undefined,
    follow: false,
  });
});

test("a flag counts more than the variable, the variable more than the default", () => {
  const env = { FOOTFALL_TOKEN: "t", FOOTFALL_HOST: "variable", SIZE: "2", LEVEL: "high" };
  expect(read(["--host", "flag", "--size=-3"], env)).toMatchObject({ host: "flag", size: -3, level: "high" });
});

test.each([
  [["--follow"], true],
  [["--follow", "true"], true],
  [["--follow", "false"], false],
  [["--follow", "--port", "1"], true],
  [["--port", "1", "--follow"], true],
  [[], false],
])("switch: %j is %s", (argv, follow) => {
  expect(read(argv).follow).toBe(follow);
});

test.each([
  [["--hots", "x"], /unknown option '--hots'/],
  [["-p", "1"], /unknown option '-p'/],
  [["--token", "t"], /unknown option '--token'/],
  [["extra"], /too many arguments/],
  [["--port"], /option '--port <value>' argument missing/],
  [["--port", "http"], /^--port: "http" is not a whole number$/],
  [["--port", "65536"], /^--port: "65536" is above 65535$/],
  [["--port", ""], /^--port: "" is not a whole number$/],
  [["--size", "-6"], /^--size: "-6" is below -5$/],
  [["--size", "1.5"], /^--size: "1.5" is not a whole number$/],
  [["--size", "9".repeat(20)], /is above 10$/],
  [["--level", "medium"], /^--level: "medium" is none of low, high$/],
  [["--follow", "yes"], /^--follow: "yes" is neither true nor false$/],
  [["--host", ""], /^--host: "" is empty$/],
])("%j is refused", (argv, message) => {
  expect(refusal(argv)).toMatch(message);
});

test("a wrong variable is named as such", () => {
  expect(refusal([], { FOOTFALL_TOKEN: "t", FOOTFALL_PORT: "-1" })).toBe('FOOTFALL_PORT: "-1" is below 0');
});

test("an unknown FOOTFALL_ variable is a typing error; another program's, and others', are none", () => {
  expect(refusal([], { FOOTFALL_TOKEN: "t", FOOTFALL_HOTS: "x" })).toBe(
    "FOOTFALL_HOTS is not a setting of any Footfall program",
  );
  read([], { FOOTFALL_TOKEN: "t", FOOTFALL_ELSEWHERE: "x", HOTS: "x", footfall_hots: "x" });
});

test("what Kubernetes sets for Services is let be, also where it has a setting's name", () => {
  const links = {
    FOOTFALL_SERVICE_HOST: "10.0.0.1",
    FOOTFALL_SERVICE_PORT: "4317",
    FOOTFALL_SERVICE_PORT_GRPC_WEB: "4317",
    FOOTFALL_PORT: "tcp://10.0.0.1:4317",
    FOOTFALL_PORT_4317_TCP: "tcp://10.0.0.1:4317",
    FOOTFALL_PORT_4317_TCP_PROTO: "tcp",
    FOOTFALL_PORT_4317_TCP_PORT: "4317",
    FOOTFALL_PORT_4317_TCP_ADDR: "10.0.0.1",
    FOOTFALL_COLLECTOR_EU_SERVICE_HOST: "fd00::1",
    FOOTFALL_COLLECTOR_EU_SERVICE_PORT: "4317",
    FOOTFALL_COLLECTOR_EU_PORT: "tcp://[fd00::1]:4317",
    FOOTFALL_DNS_PORT_53_UDP: "udp://10.0.0.9:53",
  };
  expect(read([], { FOOTFALL_TOKEN: "t", ...links })).toMatchObject({ port: 80 });
  expect(read(["--port", "81"], { FOOTFALL_TOKEN: "t", ...links }).port).toBe(81);
});

test.each([
  ["FOOTFALL_COLECTOR_PORT", "4317"],
  ["FOOTFALL_COLECTOR_HOST", "10.0.0.1"],
  ["FOOTFALL_COLLECTOR_SERVICE_PORT", "tcp"],
  ["FOOTFALL_PORTS", "tcp://10.0.0.1:4317"],
])("%s=%s is a typing error all the same", (name, value) => {
  expect(refusal([], { FOOTFALL_TOKEN: "t", [name]: value })).toBe(
    `${name} is not a setting of any Footfall program`,
  );
});

test("all problems are told at once, a missing setting with its variable and flag", () => {
  const message = refusal(["--port", "x", "--level", "y"], { FOOTFALL_HOTS: "x" });
  expect(message.split("\n")).toEqual([
    "FOOTFALL_HOTS is not a setting of any Footfall program",
    '--port: "x" is not a whole number',
    "FOOTFALL_TOKEN or FOOTFALL_TOKEN_FILE is required: a secret",
    '--level: "y" is none of low, high',
  ]);
});

test("secrets are never printed", () => {
  const secret = {
    ...settings.token,
    schema: integer(0, 1),
  };
  const strict = { ...program, settings: { token: secret } };
  const given = (argv: string[], env: NodeJS.ProcessEnv) => () => readConfig(strict, argv, env, KNOWN);
  expect(given([], { FOOTFALL_TOKEN: "hunter2" })).toThrow("FOOTFALL_TOKEN: the value is not a whole number");
  for (const argv of [["--tokn=hunter2"], ["--tokn", "hunter2"], ["hunter2"], ["--token", "t", "hunter2"]]) {
    expect(refusal(argv, { FOOTFALL_TOKEN: "hunter2" })).not.toContain("hunter2");
  }
});

test("the help names every setting with its variable and its default", () => {
  const help = helpOf().replaceAll(/\s+/g, " ");
  for (const { env } of Object.values(settings)) expect(help).toContain(env);
  for (const flag of ["host", "port", "size", "level", "file", "follow"]) expect(help).toContain(`--${flag}`);
  expect(help).not.toContain("--token");
  expect(help).toContain("which [FOOTFALL_PORT; default: 80]");
  expect(help).toContain("FOOTFALL_TOKEN a secret [required]");
  expect(help).toContain("c [FILE; default: none]");
});

/** What `--help` prints before it ends the process well. */
function helpOf(): string {
  const exit = vi.spyOn(process, "exit").mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    expect(() => read(["--help"], { FOOTFALL_HOTS: "x", FOOTFALL_TOKEN: "hunter2" })).toThrow("exit 0");
    return written.mock.calls.map(([text]) => text).join("");
  } finally {
    exit.mockRestore();
    written.mockRestore();
  }
}

test("the help is printed whatever else is wrong, and repeats no secret", () => {
  expect(helpOf()).toMatch(/^Usage: sample/);
  expect(helpOf()).not.toContain("hunter2");
});
