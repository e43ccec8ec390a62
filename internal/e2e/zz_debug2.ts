import { startTimescale } from "../embedded/postgres/start.ts";
import { createPool, transaction } from "../store/pool.ts";
import { CopyWriter, copyRows } from "../store/copy-writer.ts";
import { mkdtempSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../embedded/free-port.ts";
const dataDir = mkdtempSync("/tmp/e2edbg2-"); const port = await freePort();
let db = await startTimescale({dataDir, port});
const pool = createPool({url: db.url, name:"x", maxConnections:4, statementTimeoutMs:60000});
await pool.query("create table t (a int)");
for (let round=0; round<12; round++) {
  let stop=false; const stages: string[] = ["","",""];
  const workers=[0,1,2].map(async (k)=>{ let n=0;
    while(!stop){ try { await transaction(pool, async c=>{ stages[k]="begin"; await c.query("select 1"); 
      stages[k]="savepoint"; await c.query("savepoint a"); stages[k]="copy"; const w=new CopyWriter(); for(let j=0;j<50;j++){w.row(1);w.int4(j);} await copyRows(c,"copy t from stdin (format binary)",w); stages[k]="copied"; await c.query("select count(*) from t"); stages[k]="end"; }); stages[k]="done"; n++; } catch(e){ stages[k]="caught "+(e as Error).message; await sleep(50);} } return n; });
  await sleep(300+Math.random()*200);
  process.kill(db.pid,"SIGKILL"); await db.exited; 
  db = await startTimescale({dataDir, port});
  await sleep(500); stop=true;
  const r = await Promise.race([Promise.all(workers), sleep(15000).then(()=>"HUNG "+JSON.stringify(stages)+` pool total ${pool.totalCount} idle ${pool.idleCount} wait ${pool.waitingCount}`)]);
  console.log(round, r);
}
await db.stop(); process.exit(0);
