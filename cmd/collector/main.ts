import { collector } from "../../internal/config/programs/collector.ts";
import { CollectService } from "../../internal/gen/footfall/collect/v1/collect_pb.js";
import { runService } from "../../internal/program/run-service.ts";
import { start } from "./start.ts";

await runService(collector, [CollectService], start);
