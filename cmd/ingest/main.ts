import { ingest } from "../../internal/config/programs/ingest.ts";
import { IngestService } from "../../internal/gen/footfall/ingest/v1/ingest_pb.js";
import { runService } from "../../internal/program/run-service.ts";
import { start } from "./start.ts";

await runService(ingest, [IngestService], start);
