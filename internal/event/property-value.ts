import type { PropertyValue } from "../event-schema/property.ts";
import type { Value } from "../gen/footfall/event/v1/event_pb.js";

/** A property's value as an event's message has it. */
export function propertyMessage(value: PropertyValue): Value {
  return { $typeName: "footfall.event.v1.Value", kind: kindOf(value) };
}

function kindOf(value: PropertyValue): Value["kind"] {
  if (typeof value === "string") return { case: "text", value };
  return typeof value === "number" ? { case: "number", value } : { case: "boolean", value };
}

/** A message's properties. */
export function valuesOf(properties: Readonly<Record<string, PropertyValue>>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, propertyMessage(value)]),
  );
}
