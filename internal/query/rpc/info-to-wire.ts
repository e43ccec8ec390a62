import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type AnswerInfo,
  AnswerInfoSchema,
  Notice_Kind,
  type NoticeSchema,
} from "../../gen/footfall/query/v1/info_pb.js";
import type { Answer } from "../question/answer.ts";
import type { Scoped } from "../question/question.ts";

type Notice = MessageInitShape<typeof NoticeSchema>;

/** What an answer has cost. */
interface Cost {
  /** Cost units, of this question and of those left. */
  readonly spent: number;
  readonly remaining: number;
  readonly isKept: boolean;
}

/** What an answer says of itself. */
export function infoToWire(
  { timeZone, merchant, spans }: Scoped,
  answer: Answer,
  { spent, remaining, isKept }: Cost,
): AnswerInfo {
  const { dataThrough } = answer;
  return create(AnswerInfoSchema, {
    timeZone,
    currency: merchant.currency,
    startTimes: spans.map(({ start }) => timestampFromMs(start)),
    endTimes: spans.map(({ end }) => timestampFromMs(end)),
    ...(dataThrough !== undefined && { dataThroughTime: timestampFromMs(dataThrough) }),
    oldestProcessorVersion: answer.oldestProcessorVersion,
    newestProcessorVersion: answer.newestProcessorVersion,
    notices: noticesOf(answer),
    quota: { spent, remaining },
    cached: isKept,
  });
}

function noticesOf({ unconvertedOrders, delayedEvents, table, totals }: Answer): Notice[] {
  const notices: Notice[] = [];
  if (unconvertedOrders > 0n) {
    const message = "Orders and refunds in another currency without a rate of their day are in no sum.";
    notices.push({ kind: Notice_Kind.UNCONVERTED_ORDERS, count: unconvertedOrders, message });
  }
  if (delayedEvents > 0n) {
    const message = "Collectors hold back acknowledged events, which come later by themselves.";
    notices.push({ kind: Notice_Kind.DELAYED_EVENTS, count: delayedEvents, message });
  }
  const columns = [...table.columns, ...totals.columns];
  if (columns.some(({ standardErrors = [] }) => standardErrors.some((error) => error > 0))) {
    const message = "Some numbers are estimated; ask with ACCURACY_EXACT for exact ones.";
    notices.push({ kind: Notice_Kind.ESTIMATED, message });
  }
  return notices;
}
