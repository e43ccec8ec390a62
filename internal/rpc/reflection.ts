import {
  create,
  createRegistry,
  type DescFile,
  type DescService,
  type MessageInitShape,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import {
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../gen/reflection_pb.js";

const NOT_FOUND = 5;
const UNIMPLEMENTED = 12;

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]>;

/**
 * gRPC server reflection (grpc.reflection.v1), so that `grpcurl` and `buf curl` work without the .proto
 * files. https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export class Reflection {
  readonly #services: readonly DescService[];
  /** By name, such as "footfall/event/v1/event.proto". */
  readonly #files: ReadonlyMap<string, DescFile>;
  readonly #types: Registry;

  constructor(services: readonly DescService[]) {
    this.#services = services;
    const files = services.flatMap((service) => [...withImports(service.file)]);
    this.#files = new Map(files.map((file) => [file.proto.name, file]));
    this.#types = createRegistry(...files);
  }

  /** Answers the requests of one stream, in order. */
  async *answer(requests: AsyncIterable<ServerReflectionRequest>): AsyncIterable<ServerReflectionResponse> {
    for await (const request of requests) {
      yield create(ServerReflectionResponseSchema, {
        validHost: request.host,
        originalRequest: request,
        messageResponse: this.#answerOne(request.messageRequest),
      });
    }
  }

  #answerOne(question: ServerReflectionRequest["messageRequest"]): Answer {
    switch (question.case) {
      case "listServices":
        return listing(this.#services);
      case "fileByFilename":
        return fileAnswer(this.#files.get(question.value), question.value);
      case "fileContainingSymbol":
        return fileAnswer(this.#fileOf(question.value), question.value);
      default:
        return failure(
          UNIMPLEMENTED,
          `${question.case ?? "an empty request"}: not offered (proto3 has no extensions)`,
        );
    }
  }

  /** The file of a message, enum, service or, one name further, of a method or field. */
  #fileOf(symbol: string): DescFile | undefined {
    const parent = symbol.slice(0, symbol.lastIndexOf("."));
    return (this.#types.get(symbol) ?? this.#types.get(parent))?.file;
  }
}

/** A file and all that it imports, each after its imports. */
function withImports(file: DescFile, into = new Set<DescFile>()): Set<DescFile> {
  for (const dependency of file.dependencies) withImports(dependency, into);
  return into.add(file);
}

/** The file asked for comes first, its imports after it: some clients ask for nothing more. */
function fileAnswer(file: DescFile | undefined, name: string): Answer {
  if (file === undefined) return failure(NOT_FOUND, `${name}: not found`);
  const files = [...withImports(file)].reverse();
  const fileDescriptorProto = files.map((one) => toBinary(FileDescriptorProtoSchema, one.proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

/** Routes reflection for the services given and itself. */
export function routeReflection(router: ConnectRouter, services: readonly DescService[]): void {
  const reflection = new Reflection([...services, ServerReflection]);
  router.service(ServerReflection, { serverReflectionInfo: (requests) => reflection.answer(requests) });
}

function listing(services: readonly DescService[]): Answer {
  return {
    case: "listServicesResponse",
    value: { service: services.map(({ typeName: name }) => ({ name })) },
  };
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
