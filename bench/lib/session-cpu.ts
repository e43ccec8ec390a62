import type { Pool } from "../../internal/store/pool.ts";
import { cpuSeconds } from "./cpu.ts";

/**
 * CPU seconds that the server's processes have taken so far for the open sessions of this database, by what the
 * sessions' application names say they are for; empty for a server that is not on this machine, or that serves all
 * sessions in one process.
 */
export async function sessionCpu(pool: Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ pid: number; use: string; is_near: boolean }>(
    `SELECT pid, regexp_replace(application_name, ' [0-9a-f-]{36}', '') AS use,
       coalesce(host(inet_server_addr()), '127.0.0.1') IN ('127.0.0.1', '::1') AS is_near
     FROM pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'client backend'`,
  );
  const total: Record<string, number> = {};
  for (const { pid, use, is_near } of rows) {
    if (!is_near) return {};
    total[use] = (total[use] ?? 0) + read(pid);
  }
  return total;
}

/** 0 for a session that has ended since, or that is none of a process. */
function read(pid: number): number {
  try {
    return cpuSeconds({ pid }).pid!;
  } catch {
    return 0;
  }
}
