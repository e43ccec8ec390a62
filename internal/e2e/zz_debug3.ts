import { startInstallation } from "../standalone/installation.ts";
import { createPool } from "../store/pool.ts";
import { createTestMerchant } from "../testkit/installation.ts";
import { liveTraffic } from "../simulate/traffic.ts";
import { sendTraffic } from "../simulate/send.ts";
import { workPartition } from "../aggregate/partition-worker.ts";
import { aggregateMetrics } from "../aggregate/metrics.ts";
import { Currencies } from "../aggregate/currencies.ts";
import { createRegistry } from "../telemetry/metrics.ts";
import { createLogger } from "../telemetry/logger.ts";
import { connectNats } from "../stream/connect.ts";
import { BatchPublisher } from "../stream/publisher.ts";
import { mkdtempSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
const i = await startInstallation({dataDir: mkdtempSync("/tmp/e2edbg-"), partitions:4, env:{FOOTFALL_LOG_LEVEL:"debug", FOOTFALL_AGGREGATOR_PARTITIONS:"0-1"}});
const pool = createPool({url:i.databaseUrl,name:"t",maxConnections:1,statementTimeoutMs:5000});
const ms=[]; for(let k=0;k<3;k++) ms.push(await createTestMerchant(pool));
const wpool:any = createPool({url:i.databaseUrl,name:"agg",maxConnections:8,statementTimeoutMs:60000});
let n=0; const open=new Map<string,string>();
const track=(id:string,what:string,p:any)=>{ if(!p?.then) { return p; } const k=id+":"+(++n); open.set(k,what+" @"+Date.now()); return p.finally(()=>open.delete(k)); };
const oc=wpool.connect.bind(wpool); let cn=0;
wpool.connect=(...a:any[])=>{ if(a.length) return oc(...a); return track("pool","connect",oc()).then((c:any)=>{ const id="c"+(++cn); 
  const oq=Object.getPrototypeOf(c).query.bind(c); c.query=(...q:any[])=>{ const r=oq(...q); const text=(q[0]?.text??q[0]); if(typeof r?.then!=="function"){ const k=id+":copy"+(++n); open.set(k,String(text).slice(0,60)); r.on("close",()=>{open.delete(k)}); r.on("error",(e:any)=>console.log(k,"copy error",e.message)); r.on("finish",()=>open.delete(k)); return r;} return track(id,String(text).slice(0,60),r); };
  const or=c.release; open.set(id,"client"); c.release=(e:any)=>{ open.delete(id); return or.call(c,e); }; return c; }); };
const nats = await connectNats(i.natsUrl,"dbg",10000);
const log=createLogger("dbg","warn");
const stop=new AbortController();
const deps:any={pool:wpool,nats,publisher:new BatchPublisher(nats,5000),currencies:new Currencies(wpool),metrics:aggregateMetrics(createRegistry("dbg")),log,partitions:4,commitMaxRows:20000,fetchMaxBytes:8<<20,heartbeatMs:1000,onCommit(){}};
for (const p of [2,3]) void workPartition(p,deps,stop.signal);
const traffic = liveTraffic({seed:3,run:1,merchants:3,batch:20,rate:400});
const end=new AbortController();
const sending = sendTraffic({target:i.collectorUrl,writeKeys:ms.map(m=>m.writeKey),traffic,events:0,rate:400,inFlight:32,giveUpMs:120000,signal:end.signal});
async function lag(){ const {rows}=await pool.query("select max(extract(epoch from now()-committed_through))::float as lag from partitions"); return rows[0].lag; }
for (let r=0;r<6;r++){ await sleep(1500); const p=i.pid("timescale")!; process.kill(p,"SIGKILL"); while((i.pid("timescale")??p)===p) await sleep(20);
  const t=performance.now(); let ok=false; while(performance.now()-t<15000){ try{ if(await lag()<2){ok=true;break;} }catch{} await sleep(100);} 
  console.log("round",r,ok?"ok":"STUCK",(performance.now()-t)|0); if(!ok){ console.log([...open]); console.log("pool",wpool.totalCount,wpool.idleCount,wpool.waitingCount); break; } }
process.exit(0);
