import { setTimeout as sleep } from "node:timers/promises";
import * as leases from "../../store/leases.ts";
import type { Pool } from "../../store/pool.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { AggregateMetrics } from "../metrics.ts";
import { type Plan, partitionLease, partitionOfLease, plan, refresherLease } from "./plan.ts";
import { Works } from "./works.ts";

export interface OwnerDeps {
  /** Connections of its own, so that renewing does not wait behind writes. */
  readonly pool: Pool;
  readonly instanceId: string;
  /** How many there are in the installation. */
  readonly partitions: number;
  /** How many TimescaleDB servers: each has a refresher of its own. */
  readonly servers: number;
  /** Those that this process may work; undefined for all. */
  readonly candidates: readonly number[] | undefined;
  /** How long a lease lasts without being renewed, ms. */
  readonly leaseMs: number;
  /** How often leases are renewed and shared out anew, ms. */
  readonly renewMs: number;
  /** False while this process could not work anything, so that others should. */
  readonly canWork: () => boolean;
  /** Works a resource until the signal is aborted; the abort's reason is an EndReason. */
  readonly work: (resource: string, signal: AbortSignal) => Promise<void>;
  /** Told when all leases may have run out: what is under way at the database should be cut. */
  readonly onExpired: () => void;
  readonly metrics: AggregateMetrics;
  readonly log: Logger;
}

/**
 * Owns partitions and refreshers as long as their leases are renewed: works what it owns, gives back what is
 * another's fair share, claims what is free. Nothing that is stored depends on it: a commit is fenced by the
 * partition's position. It only sees to it that each partition is worked, and by one process.
 */
export class Owner {
  readonly #deps: OwnerDeps;
  readonly #works: Works;
  readonly #sharer: { readonly id: string; readonly candidates: ReadonlySet<number> | undefined };
  readonly #stopped = new AbortController();
  #staying = true;
  #expiry: NodeJS.Timeout | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(deps: OwnerDeps) {
    const { instanceId: id, candidates } = deps;
    this.#deps = deps;
    this.#works = new Works(deps.work);
    this.#sharer = { id, candidates: candidates && new Set(candidates) };
  }

  /** Starts to own. @throws when the database is away. */
  async start(): Promise<void> {
    const { pool, partitions, servers } = this.#deps;
    const refreshers = Array.from({ length: servers }, (_, server) => refresherLease(server));
    const all = Array.from({ length: partitions }, (_, partition) => partitionLease(partition));
    await leases.openLeases(pool, [...refreshers, ...all]);
    await this.#tick();
    this.#loop = this.#run();
  }

  /**
   * Ends what is worked, each commit under way finished, and gives each lease back as its work ends, so that others
   * go on at once. Refreshers end last, with the last commits refreshed.
   */
  async stop(): Promise<void> {
    const { pool, instanceId, log } = this.#deps;
    this.#staying = false;
    const { true: partitions = [], false: refreshers = [] } = Object.groupBy(
      this.#works.resources,
      (resource) => `${partitionOfLease(resource) !== undefined}` as "true" | "false",
    );
    for (const resources of [partitions, refreshers]) {
      await Promise.all(resources.map((resource) => this.#handOver(resource)));
    }
    this.#stopped.abort();
    await this.#loop;
    clearTimeout(this.#expiry);
    await leases.leave(pool, instanceId).catch((err: unknown) => log.warn({ err }, "could not sign off"));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    const { renewMs, log } = this.#deps;
    for (;;) {
      // Spread, so that aggregators that were started together do not stay in step.
      await sleep(renewMs * (0.8 + Math.random() * 0.4), undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await this.#tick().catch((err: unknown) =>
        log.warn({ err }, "leases not renewed, will be tried again"),
      );
    }
  }

  async #tick(): Promise<void> {
    const { pool, leaseMs, partitions, candidates, instanceId: id } = this.#deps;
    const staying = this.#staying && this.#deps.canWork();
    const sentAt = performance.now();
    const held = this.#works.resources;
    const roster = await leases.renewLeases(pool, { id, candidates, staying, leaseMs });
    this.#expireAt(sentAt + leaseMs);
    const mine = new Set(roster.renewed);
    for (const resource of held) if (!mine.has(resource)) this.#lost(resource);
    if (!this.#staying) return;
    const nothing = { release: roster.renewed, claim: [] };
    const { release, claim } = staying ? plan(this.#sharer, roster, partitions) : nothing;
    for (const resource of release) void this.#handOver(resource);
    // Also what a claim got whose answer was lost.
    for (const resource of mine) if (!release.includes(resource)) this.#start(resource);
    await this.#claim(claim);
  }

  async #claim(resources: Plan["claim"]): Promise<void> {
    const { pool, instanceId, leaseMs, metrics, log } = this.#deps;
    const claimed = await leases.claimLeases(pool, instanceId, resources, leaseMs);
    for (const { resource } of claimed) this.#start(resource);
    const former = new Set(claimed.flatMap(({ formerOwner }) => formerOwner ?? []));
    former.delete(instanceId);
    if (former.size === 0) return;
    const taken = claimed.filter(({ formerOwner }) => formerOwner !== undefined);
    metrics.takeovers.inc(taken.length);
    log.warn({ resources: taken.map(({ resource }) => resource), former: [...former] }, "took over");
    try {
      const ended = await leases.endConnections(pool, [...former]);
      if (ended > 0) log.warn({ ended }, "ended database connections of former owners");
    } catch (err) {
      // What they hold is then free when the database's own limits end it.
      log.warn({ err }, "could not end database connections of former owners");
    }
  }

  #start(resource: string): void {
    if (this.#works.has(resource) || !this.#staying) return;
    this.#works.start(resource);
    this.#count();
    this.#deps.log.info({ resource }, "gained");
  }

  /** Ends a work and gives its lease back. Where that fails, the lease is given back or used at the next tick. */
  async #handOver(resource: string): Promise<void> {
    const { pool, instanceId, log } = this.#deps;
    const handsOver = this.#works.isActive(resource) || !this.#works.has(resource);
    await this.#works.end(resource, "released");
    if (!handsOver) return;
    this.#count();
    try {
      await leases.releaseLeases(pool, instanceId, [resource]);
      log.info({ resource }, "given back");
    } catch (err) {
      log.warn({ err, resource }, "lease not given back");
    }
  }

  #lost(resource: string): void {
    // One that was given back as the tick was under way is no loss.
    if (!this.#works.isActive(resource)) return;
    this.#deps.metrics.leasesLost.inc();
    this.#deps.log.warn({ resource }, "lost");
    void this.#works.end(resource, "lost").then(() => this.#count());
  }

  /** @param time of performance.now(), which no wrong clock and no leap moves. */
  #expireAt(time: number): void {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.#expired(), time - performance.now());
  }

  /** Whoever could not renew for as long as a lease lasts has to take it that others own what it owned. */
  #expired(): void {
    for (const resource of this.#works.resources) this.#lost(resource);
    this.#deps.onExpired();
  }

  #count(): void {
    const owned = this.#works.resources.filter((resource) => partitionOfLease(resource) !== undefined);
    this.#deps.metrics.partitionsOwned.set(owned.length);
  }
}
