import { aggregator } from "../../internal/config/programs/aggregator.ts";
import { runService } from "../../internal/program/run-service.ts";
import { start } from "./start.ts";

await runService(aggregator, [], start);
