import { expect, test, vi } from "vitest";
import { type CommandProgram, readCommand } from "../../internal/config/commands.ts";
import { REPLAY } from "../replay/commands.ts";
import { ADMIN } from "./commands.ts";

/** What `--help` prints. */
function helpOf(program: CommandProgram<never>, words: string): string {
  const exit = vi.spyOn(process, "exit").mockImplementation(() => {
    throw new Error("exit");
  });
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    expect(() => readCommand(program, [...words.split(" "), "--help"], {}, new Set())).toThrow("exit");
    return written.mock.calls.map(([shown]) => shown).join("");
  } finally {
    exit.mockRestore();
    written.mockRestore();
  }
}

const flagsOf = (help: string) => [...help.matchAll(/^ {2}--([a-z0-9-]+)/gm)].map(([, name]) => name);
const NATS = "nats-credentials-file nats-ca-file nats-certificate-file nats-key-file";
const STREAMS = `${NATS} stream-replicas stream-max-age-hours stream-max-bytes`;
const S3 = "s3-endpoint s3-region s3-bucket s3-prefix";
const MERCHANT = "name time-zone currency retention-days truncate-ip own-domain ignored-referrer";
const FILTER = "reason merchant from to partition seq";

const FLAGS: Readonly<Record<string, string>> = {
  "admin migrate": "partitions",
  "admin merchants create": MERCHANT,
  "admin merchants list": "",
  "admin merchants update": `merchant ${MERCHANT}`,
  "admin keys list": "merchant",
  "admin keys create": "merchant kind",
  "admin keys rotate": "merchant key overlap",
  "admin keys revoke": "merchant key",
  "admin goals add": "merchant name event-name page-pattern value",
  "admin goals list": "merchant",
  "admin goals update": "merchant goal name event-name any-event page-pattern any-page value event-revenue",
  "admin goals remove": "merchant goal",
  "admin rates load": "file",
  "admin streams show": STREAMS,
  "admin streams apply": STREAMS,
  "admin spools list": "",
  "admin spools forget": "spool",
  "admin storage show": "",
  "admin storage set-chunk-days": "days",
  "admin aggregates verify": "from to repair",
  "admin rollups backfill": "merchant from",
  "admin archive verify": `${S3} from to`,
  "admin archive erase": S3,
  "admin erasures run":
    "merchant visitor visitor-hash user customer whole-merchant dry-run refresh-wait-ms stream-max-age-hours",
  "admin erasures list": "merchant",
  "replay dlq list": `${NATS} ${FILTER} limit`,
  "replay dlq show": `${NATS} seq limit`,
  "replay dlq redrive": `${NATS} ${FILTER} dry-run`,
};

const COMMANDS = [ADMIN, REPLAY].flatMap((program: CommandProgram<never>) =>
  program.commands.map(({ name }) => ({ words: `${program.name} ${name}`, name, program })),
);

test.each(COMMANDS)(
  "help of $words: its own flags, its variables, and an example",
  ({ words, name, program }) => {
    const help = helpOf(program, name);
    expect(flagsOf(help)).toEqual(
      [...(FLAGS[words]?.split(" ") ?? ["?"]), "json"].filter((flag) => flag !== ""),
    );
    expect(help).toMatch(/^ {2}DATABASE_URL /m);
    expect(help).toMatch(new RegExp(`^Example:\n {2}${words}`, "m"));
  },
);

test.each(COMMANDS)("the example of $words is one that it takes", ({ name, program }) => {
  const { example } = program.commands.find((one) => one.name === name)!;
  const words = [...example.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c!);
  const env = { DATABASE_URL: "postgres://a@b/c" };
  expect(readCommand(program, [...name.split(" "), ...words], env, new Set()).command.name).toBe(name);
});
