import { create } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { Failure } from "../failure/failure.ts";
import {
  Health,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "../gen/health_pb.js";

const STARTING = "start";
const STOPPING = "stop";

/**
 * Whether a program can do its work now: what /readyz and the gRPC health protocol answer. It cannot for as long as
 * any part of it has a problem; what only deserves a look is a note.
 */
export class HealthState {
  readonly #problems = new Map([[STARTING, "starting"]]);
  readonly #notes = new Map<string, string>();
  readonly #services: ReadonlySet<string>;
  #changed = Promise.withResolvers<void>();

  /** @param services full names of the gRPC services that the program offers. */
  constructor(services: readonly string[]) {
    this.#services = new Set(["", ...services]);
  }

  /** Whether the program is about to stop, and clients should go elsewhere. */
  get draining(): boolean {
    return this.#problems.has(STOPPING);
  }

  /** From now on the program is not ready, whatever else becomes of it. */
  drain(): void {
    this.#problems.clear();
    this.#setProblem(STOPPING, "stopping");
  }

  started(): void {
    this.setProblem(STARTING, undefined);
  }

  /** Why the program cannot work, or undefined when it can. */
  get problem(): string | undefined {
    return this.#problems.size === 0 ? undefined : [...this.#problems.values()].join("; ");
  }

  /** What is wrong beside, a line each. */
  get notes(): readonly string[] {
    return [...this.#notes.values()];
  }

  /** Says why the program cannot work by fault of a part; undefined: that part works. @returns whether that is new. */
  setProblem(part: string, problem: string | undefined): boolean {
    return !this.draining && this.#setProblem(part, problem);
  }

  /** Says what is wrong with a part without which the program works too. @returns whether that is new. */
  setNote(part: string, note: string | undefined): boolean {
    return change(this.#notes, part, note);
  }

  #setProblem(part: string, problem: string | undefined): boolean {
    if (!change(this.#problems, part, problem)) return false;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    return true;
  }

  /** @throws Failure not_found for a service that the program does not offer, as the protocol asks. */
  check(service: string): HealthCheckResponse {
    if (!this.#services.has(service))
      throw new Failure("not_found", `service: unknown ${JSON.stringify(service)}`);
    return create(HealthCheckResponseSchema, {
      status: this.problem === undefined ? Status.SERVING : Status.NOT_SERVING,
    });
  }

  /** The state now and at each change, until the signal is aborted. */
  async *watch(service: string, signal: AbortSignal): AsyncIterable<HealthCheckResponse> {
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true }),
    );
    while (!signal.aborted) {
      const changed = this.#changed.promise;
      yield this.#services.has(service)
        ? this.check(service)
        : create(HealthCheckResponseSchema, { status: Status.SERVICE_UNKNOWN });
      await Promise.race([changed, aborted]);
    }
  }
}

function change(texts: Map<string, string>, part: string, text: string | undefined): boolean {
  if (text === texts.get(part)) return false;
  if (text === undefined) texts.delete(part);
  else texts.set(part, text);
  return true;
}

/** Routes the part of the health protocol that answers at once, for ports that clients reach. */
export function routeHealthCheck(router: ConnectRouter, state: HealthState): void {
  router.rpc(Health.method.check, (request) => state.check(request.service));
}

/** Routes grpc.health.v1.Health, https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export function routeHealth(router: ConnectRouter, state: HealthState): void {
  router.service(Health, {
    check: (request) => state.check(request.service),
    watch: (request, context) => state.watch(request.service, context.signal),
  });
}
