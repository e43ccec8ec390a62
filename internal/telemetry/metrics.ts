import { createRequire } from "node:module";
import { Counter, collectDefaultMetrics, Gauge, Histogram, type LabelValues, Registry } from "prom-client";

export { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Footfall's version, which all programs have in common. */
const { version: VERSION } = createRequire(import.meta.url)("../../package.json") as { version: string };

/** A program's own registry of Prometheus metrics, with the process' usual ones and what it was built of. */
export function createRegistry(program: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ program });
  collectDefaultMetrics({ register: registry });
  gauge(registry, "footfall_build_info", "Always 1; the labels say what runs.", ["version", "node"]).set(
    { version: VERSION, node: process.versions.node },
    1,
  );
  return registry;
}

/** Bounds of latency histograms, seconds: from a millisecond to a minute. */
const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function counter<L extends string>(registry: Registry, name: string, help: string, labels: L[] = []) {
  return new Counter<L>({ name, help, labelNames: labels, registers: [registry] });
}

export function gauge<L extends string>(registry: Registry, name: string, help: string, labels: L[] = []) {
  return new Gauge<L>({ name, help, labelNames: labels, registers: [registry] });
}

/** Gives a counter samples for all values of a label at once: an alarm sees the first failure too, and no absence. */
export function startAtZero<L extends string>(
  metric: Counter<L>,
  label: L,
  values: readonly (string | number)[],
  others: LabelValues<L> = {},
): Counter<L> {
  for (const value of values) metric.inc({ ...others, [label]: value } as LabelValues<L>, 0);
  return metric;
}

/** A gauge that is read when it is asked for. */
export function watched(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

export function latency<L extends string>(registry: Registry, name: string, help: string, labels: L[] = []) {
  return new Histogram<L>({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    buckets: LATENCY_BUCKETS,
  });
}
