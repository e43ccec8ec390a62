/** What a property's value is, as the batch's column has it. */
export const PropertyKind = { TEXT: 0, NUMBER: 1, FALSE: 2, TRUE: 3 } as const;

/** A property's value. */
export type PropertyValue = string | number | boolean;
