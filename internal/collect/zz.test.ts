import { test } from "vitest";
import { request, Agent } from "node:http";
import { startRig } from "./testing/rig.ts";
test("x", async () => {
  const rig = await startRig();
  const ev = (n: number, size: number) => ({events: Array.from({ length: n }, () => ({ name: "x", referrer: "x".repeat(size) }))});
  const g = rig.grpc();
  const show = (e: any) => e.accepted !== undefined ? [e.accepted, e.rejected].join() : e.message;
  for (const mb of [1,4,7,7.9,8.1,9,12]) console.log(mb, show(await g.send(ev(mb*20, 52428)).catch(e=>e)));
  console.log("concurrent", (await Promise.all(Array.from({length: 12}, () => g.send(ev(80, 52428)).catch(e=>e)))).map(show).join(" | "));
  const agent = new Agent({ keepAlive: true });
  const call = (body: string, chunked: boolean) => new Promise((resolve) => {
    const t0 = Date.now();
    const r = request({ port: rig.port, host: "127.0.0.1", agent, method: "POST", timeout: 3000, path: "/footfall.collect.v1.CollectService/Send", headers: {"content-type":"application/json", authorization: "Bearer ffw_one"} }, (res) => {
      let s=""; res.on("data", c=>s+=c); res.on("end", ()=>resolve([res.statusCode, s.slice(0,60), res.headers.connection, Date.now()-t0]));
    });
    r.on("timeout", ()=>r.destroy(new Error("timeout")));
    r.on("error", e=>resolve(["ERR", e.message, Date.now()-t0]));
    if (chunked) { r.write(body); r.end(); } else r.end(body);
  });
  const big = JSON.stringify(ev(200, 52428)), small='{"events":[{"name":"a"}]}';
  for (const chunked of [true]) { console.log(await call(big, chunked)); console.log(await call(small, chunked)); console.log(await call(small, false)); }
  agent.destroy();
  const j = rig.json();
  console.log(show(await j.send(ev(200,52428)).catch(e=>e)));
  console.log(show(await Promise.race([j.send(ev(2,1)).catch(e=>e), new Promise(r=>setTimeout(()=>r(new Error("HANG")), 3000))])));
  console.log(show(await Promise.race([j.send(ev(2,1)).catch(e=>e), new Promise(r=>setTimeout(()=>r(new Error("HANG")), 3000))])));
  console.log("done");
  await Promise.race([rig.close(), new Promise(r=>setTimeout(r, 5000))]);
});
