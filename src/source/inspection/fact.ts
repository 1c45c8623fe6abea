/** A thing that is known of a server, or is not, and then why. Nothing is ever made up in its place. */
export type Fact<Value> =
  /** `note`: what is to be kept in mind about it: it was cut off, or only partly seen. */
  { readonly value: Value; readonly note?: string } | { readonly unknown: string };

export function known<Value>(value: Value, note?: string): Fact<Value> {
  return note === undefined ? { value } : { value, note };
}

export function unknown(reason: string): { readonly unknown: string } {
  return { unknown: reason };
}

/** The value where it is known, else what stands for it in a calculation. */
export function valueOr<Value, Other>(fact: Fact<Value>, otherwise: Other): Value | Other {
  return 'value' in fact ? fact.value : otherwise;
}
