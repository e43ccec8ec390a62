import { create } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { Failure } from "../failure/failure.ts";
import {
  Health,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "../gen/health_pb.js";

/** Whether a program can do its work now; what the gRPC health protocol and /healthz answer. */
export class HealthState {
  #problem: string | undefined = "starting";
  #draining = false;
  readonly #services: ReadonlySet<string>;
  #changed = Promise.withResolvers<void>();

  /** @param services full names of the gRPC services that the program offers. */
  constructor(services: readonly string[]) {
    this.#services = new Set(["", ...services]);
  }

  /** Whether the program is about to stop, and clients should go elsewhere. */
  get draining(): boolean {
    return this.#draining;
  }

  /** From now on the program is not healthy, whatever else becomes of it. */
  drain(): void {
    this.problem = "stopping";
    this.#draining = true;
  }

  /** Why the program cannot work, or undefined when it can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  set problem(problem: string | undefined) {
    if (problem === this.#problem || this.#draining) return;
    this.#problem = problem;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** @throws Failure not_found for a service that the program does not offer, as the protocol asks. */
  check(service: string): HealthCheckResponse {
    if (!this.#services.has(service))
      throw new Failure("not_found", `service: unknown ${JSON.stringify(service)}`);
    return create(HealthCheckResponseSchema, {
      status: this.#problem === undefined ? Status.SERVING : Status.NOT_SERVING,
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

/** Routes grpc.health.v1.Health, https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export function routeHealth(router: ConnectRouter, state: HealthState): void {
  router.service(Health, {
    check: (request) => state.check(request.service),
    watch: (request, context) => state.watch(request.service, context.signal),
  });
}
