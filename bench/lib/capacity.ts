/** What one event costs, as measured. */
export interface CostPerEvent {
  /** CPU microseconds an event, by process. */
  readonly cpu: Readonly<Record<string, number>>;
  /** Bytes an event in JetStream, as compressed by the collector. */
  readonly streamBytes: number;
  /** Bytes an event in TimescaleDB before the columnstore, indexes and keys included. */
  readonly databaseBytes: number;
}

/** How an installation is laid out, where it is not a matter of cost. */
export interface Layout {
  /** The busiest second against the day's mean. */
  readonly peak: number;
  /** Share of a core's time that a process may take at the peak. */
  readonly busy: number;
  /** Copies that JetStream keeps, and for how many hours. */
  readonly replicas: number;
  readonly streamHours: number;
  /** Days before a chunk goes to the columnstore, and bytes an event from then on, keys and aggregates included. */
  readonly rowDays: number;
  readonly columnBytes: number;
  readonly retentionDays: number;
  /** Cores of one database server that writes may use: a server is added when they are full. */
  readonly databaseCores: number;
}

export const LAYOUT: Layout = {
  peak: 3,
  busy: 0.6,
  replicas: 3,
  streamHours: 48,
  rowDays: 2,
  // Events 77 and items 13 in the columnstore, their keys 35 with the days before that, aggregates 43 (docs/storage.md).
  columnBytes: 168,
  retentionDays: 400,
  databaseCores: 16,
};

/** What a number of events a day needs. */
export interface Needs {
  readonly eventsPerDay: number;
  readonly peakPerSecond: number;
  /** Cores at the peak, by process. */
  readonly cores: Readonly<Record<string, number>>;
  readonly databaseServers: number;
  readonly streamMegabytesPerSecond: number;
  readonly streamTerabytes: number;
  readonly databaseTerabytes: number;
}

/** Computes, from costs that are taken as constant, what an installation needs; see docs/capacity.md. */
export function needs(eventsPerDay: number, cost: CostPerEvent, layout: Layout = LAYOUT): Needs {
  const peakPerSecond = (eventsPerDay / 86_400) * layout.peak;
  const coresOf = (micros: number) => (peakPerSecond * micros) / 1e6 / layout.busy;
  const cores = Object.fromEntries(Object.entries(cost.cpu).map(([name, cpu]) => [name, coresOf(cpu)]));
  // Every replica's server writes and receives each message once.
  if (cores.nats !== undefined) cores.nats *= layout.replicas;
  const rowBytes = layout.rowDays * cost.databaseBytes;
  const columnBytes = (layout.retentionDays - layout.rowDays) * layout.columnBytes;
  return {
    eventsPerDay,
    peakPerSecond,
    cores,
    databaseServers: Math.ceil((cores.database ?? 0) / layout.databaseCores),
    streamMegabytesPerSecond: (peakPerSecond * cost.streamBytes) / 1e6,
    streamTerabytes: (eventsPerDay * cost.streamBytes * layout.replicas * layout.streamHours) / 24 / 1e12,
    databaseTerabytes: (eventsPerDay * (rowBytes + columnBytes)) / 1e12,
  };
}
