import { query } from "../../internal/config/programs/query.ts";
import { GoalService } from "../../internal/gen/footfall/query/v1/goals_pb.js";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import { runService } from "../../internal/program/run-service.ts";
import { start } from "./start.ts";

await runService(query, [QueryService, GoalService], start);
