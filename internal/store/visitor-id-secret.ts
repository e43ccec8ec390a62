import type { Pool } from "./pool.ts";

/**
 * The installation's secret under which visitor ids that could be guessed are hashed: 32 bytes that the migration has
 * made. It never changes: an id's hash is what tells its visitor.
 */
export async function readVisitorIdSecret(pool: Pool): Promise<Buffer> {
  const { rows } = await pool.query<{ secret: Buffer }>("SELECT secret FROM visitor_id_secret");
  return rows[0]!.secret;
}
