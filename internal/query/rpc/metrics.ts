import { Code } from "@connectrpc/connect";
import { READ_SOURCES, type ReadSource } from "../../store/snapshot.ts";
import { counter, latency, type Registry, watched } from "../../telemetry/metrics.ts";
import type { Answered, QuestionRunner } from "../run/run-questions.ts";
import type { Turns } from "../run/turns.ts";

const RPCS = [
  "RunReport",
  "BatchRunReports",
  "RunFunnel",
  "GetMetadata",
  "ListGoals",
  "CreateGoal",
  "UpdateGoal",
  "DeleteGoal",
] as const;

export type Rpc = (typeof RPCS)[number];

/** What a call may end with, as gRPC writes it. */
const CODES: Readonly<Partial<Record<Code, string>>> = {
  [Code.Canceled]: "CANCELLED",
  [Code.InvalidArgument]: "INVALID_ARGUMENT",
  [Code.NotFound]: "NOT_FOUND",
  [Code.AlreadyExists]: "ALREADY_EXISTS",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.PermissionDenied]: "PERMISSION_DENIED",
  [Code.FailedPrecondition]: "FAILED_PRECONDITION",
  [Code.ResourceExhausted]: "RESOURCE_EXHAUSTED",
  [Code.Internal]: "INTERNAL",
  [Code.Unavailable]: "UNAVAILABLE",
  [Code.Unauthenticated]: "UNAUTHENTICATED",
};

export type QueryMetrics = ReturnType<typeof queryMetrics>;

/** Query's metrics, each with a sample of every label from the start: 0 is told from "not there". */
export function queryMetrics(registry: Registry) {
  const requests = counter(registry, "footfall_query_requests_total", "Requests answered, by outcome.", [
    "rpc",
    "code",
  ]);
  const seconds = latency(
    registry,
    "footfall_query_request_seconds",
    "From a request's arrival to its answer.",
    ["rpc"],
  );
  const reads = counter(
    registry,
    "footfall_query_reads_total",
    "Reads from the database, by what they read; a statement that reads two of them counts for both.",
    ["rpc", "source"],
  );
  const rows = counter(
    registry,
    "footfall_query_rows_total",
    "Rows that the database answered with; those of a statement that reads several sources count for the first.",
    ["rpc", "source"],
  );
  for (const rpc of RPCS) {
    for (const code of ["OK", ...Object.values(CODES)]) requests.inc({ rpc, code }, 0);
    for (const source of READ_SOURCES) for (const each of [reads, rows]) each.inc({ rpc, source }, 0);
    seconds.zero({ rpc });
  }
  const answers = counter(
    registry,
    "footfall_query_answers_total",
    "Answers to questions of RunReport and BatchRunReports: kept from an earlier one, or worked out.",
    ["from"],
  );
  for (const from of ["kept", "database"]) answers.inc({ from }, 0);
  const count = (rpc: Rpc, outcome: Code | "ok") =>
    requests.inc({ rpc, code: outcome === "ok" ? "OK" : (CODES[outcome] ?? "UNKNOWN") });
  return {
    /** A call was refused before it was read. */
    refused(path: string, code: Code): void {
      const rpc = RPCS.find((each) => path.endsWith(`/${each}`));
      if (rpc !== undefined) count(rpc, code);
    },
    /** A call begins. @returns what is told its outcome, once. */
    begin(rpc: Rpc): (outcome: Code | "ok") => void {
      const stop = seconds.startTimer({ rpc });
      return (outcome) => {
        stop();
        count(rpc, outcome);
      };
    },
    /** What a call's reads are told to. */
    reads:
      (rpc: Rpc) =>
      (sources: readonly ReadSource[], answered: number): void => {
        for (const source of sources) reads.inc({ rpc, source });
        rows.inc({ rpc, source: sources[0]! }, answered);
      },
    /** A question was answered. */
    answered({ isKept }: Pick<Answered, "isKept">): void {
      answers.inc({ from: isKept ? "kept" : "database" });
    },
    /** Tells how many work and wait, and what is kept. */
    watch(turns: Turns, { cache }: Pick<QuestionRunner, "cache">): void {
      const name = (rest: string) => `footfall_query_${rest}`;
      watched(
        registry,
        name("working"),
        "Requests that have their turn at the database.",
        () => turns.working,
      );
      watched(
        registry,
        name("waiting"),
        "Requests that wait for their merchant's turn.",
        () => turns.waiting,
      );
      watched(registry, name("kept_bytes"), "Memory that answers take which are kept.", () => cache.bytes);
    },
  };
}
