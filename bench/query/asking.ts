import { toBinary } from "@bufbuild/protobuf";
import { queryClient } from "../../internal/client/ask/ask.ts";
import { RunReportRequestSchema } from "../../internal/gen/footfall/query/v1/report_pb.js";
import type { Merchant, Question } from "../../internal/query/question/question.ts";
import { createKey } from "../../internal/store/api-keys.ts";
import type { Database } from "../lib/database.ts";
import { forkClient } from "../lib/write-path.ts";
import type { Item, Rates, Task } from "./client.ts";
import { type Numbers, numbersOf } from "./numbers.ts";
import { type Asked, type Precision, questionOf, requestOf } from "./question.ts";
import { startService } from "./service.ts";
import { startRecorder } from "./statements.ts";

/** What a part of the bench asks with: clients, and services on the part's database. */
export interface Asking {
  /** Of a service that keeps answers for those who ask again. */
  startKeeping(): Promise<{ readonly url: string; stop(): Promise<void> }>;
  /** Of the service that works on each question. */
  readonly url: string;
  item(asked: Asked, precision: Precision, merchant: Merchant): Promise<Item>;
  /** With the statements for pg. */
  itemWithStatements(asked: Asked, precision: Precision, merchant: Merchant): Promise<Item>;
  answerOf(asked: Asked, precision: Precision, merchant: Merchant): Promise<Numbers>;
  questionOf(asked: Asked, merchant: Merchant): Question;
  measure(task: Task): Promise<Rates>;
}

const ANSWER_MS = 600_000;

/** Lends what is needed to ask, and stops it. */
export async function withAsking<T>(
  { url, pool }: Database,
  work: (asking: Asking) => Promise<T>,
): Promise<T> {
  const closers: (() => unknown)[] = [];
  try {
    const service = await startService(url, false);
    closers.push(() => service.stop());
    const client = await forkClient<Task, Rates>("../query/client.ts", [url]);
    closers.push(() => client.stop());
    const recorder = startRecorder(url);
    closers.push(() => recorder.close());
    const keys = new Map<number, Promise<string>>();
    const keyOf = ({ merchantId }: Merchant) => {
      const key = keys.get(merchantId) ?? createKey(pool, merchantId, "read").then((made) => made.key);
      keys.set(merchantId, key);
      return key;
    };
    const item = async (asked: Asked, precision: Precision, merchant: Merchant): Promise<Item> => {
      const body = toBinary(RunReportRequestSchema, requestOf(asked, precision));
      return { readKey: await keyOf(merchant), body, statements: [] };
    };
    return await work({
      url: service.url,
      item,
      async itemWithStatements(asked, precision, merchant) {
        const statements = await recorder.statementsOf(questionOf(asked, precision, merchant));
        return { ...(await item(asked, precision, merchant)), statements };
      },
      async answerOf(asked, precision, merchant) {
        const access = { url: service.url, readKey: await keyOf(merchant), timeoutMs: ANSWER_MS };
        const request = requestOf(asked, precision);
        return numbersOf(request, await queryClient(access).runReport(request));
      },
      questionOf: (asked, merchant) => questionOf(asked, "exact", merchant),
      startKeeping: () => startService(url, true),
      measure: (task) => client.run(task),
    });
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}
