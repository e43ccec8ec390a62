import { basename } from "node:path";
import { parseArgs } from "node:util";
import { LineReader } from "../../internal/collect/access-log/line-reader.ts";
import { readLog } from "../../internal/collect/access-log/read-log.ts";

// How many lines of public log files are understood, by the very functions that the collector reads logs with;
// docs/compatibility.md has the figures. The files come from checkouts, and ../shared/data/access.log:
// node scripts/compatibility/logs.ts [--format FORMAT] [--refused] FILE...
// A line is understood when it tells a request, or that none came (a timeout). With --refused the others are printed.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { format: { type: "string", default: "auto" }, refused: { type: "boolean", default: false } },
});

const say = (text: string) => process.stdout.write(`${text}\n`);

interface Count {
  lines: number;
  requests: number;
  /** Lines that say that nothing came. */
  empty: number;
  readonly refused: string[];
}

async function countFile(file: string, reader: LineReader): Promise<Count> {
  const count: Count = { lines: 0, requests: 0, empty: 0, refused: [] };
  for await (const lines of readLog(file)) {
    for (const { text, number } of lines) {
      const read = reader.read(text);
      if (read === undefined) continue;
      count.lines++;
      if (read.ok) count.requests++;
      else if (read.reason.startsWith("no request came")) count.empty++;
      else count.refused.push(`${number}: ${read.reason}`);
    }
  }
  return count;
}

let [all, understood] = [0, 0];
for (const file of positionals) {
  const reader = new LineReader({ format: values.format });
  const { lines, requests, empty, refused } = await countFile(file, reader);
  all += lines;
  understood += requests + empty;
  say(`${basename(file)}: ${requests + empty} of ${lines} (${reader.formats.join(", ") || "no format"})`);
  if (values.refused) for (const reason of refused) say(`  ${reason}`);
}
say(`all: ${understood} of ${all}`);
