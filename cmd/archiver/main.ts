import { archiver } from "../../internal/config/programs/archiver.ts";
import { runService } from "../../internal/program/run-service.ts";
import { start } from "./start.ts";

await runService(archiver, [], start);
