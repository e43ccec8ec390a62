import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PropertyValue } from "../../event-schema/property.ts";
import type { EventSchema } from "../../gen/footfall/event/v1/event_pb.js";
import { valuesOf } from "../property-value.ts";

type EventInit = MessageInitShape<typeof EventSchema>;

/** An event whose properties are plain values. */
export type TypedEvent = Omit<EventInit, "$typeName" | "$unknown" | "properties"> & {
  readonly properties?: Readonly<Record<string, PropertyValue>> | undefined;
};

/** The same as its message has it. */
export function typed({ properties, ...event }: TypedEvent): EventInit {
  return { ...event, ...(properties && { properties: valuesOf(properties) }) };
}
