/** What differs between two documents, value by value, in an order and with names that a person follows. */

export interface Difference {
  /** Keys and names of items on the way to the value. */
  place: DifferencePart[];
  before: unknown;
  after: unknown;
}

export interface DifferencePart {
  /** A key of the document, to be translated; or the name of an item, as it is. */
  kind: "key" | "item";
  text: string;
}

type Holder = Record<string, unknown>;

function isObject(value: unknown): value is Holder {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What tells an item of a list from the others. */
function identity(item: unknown): string | null {
  if (!isObject(item)) return typeof item === "string" ? item : null;
  for (const key of ["id", "name", "phone", "extension", "variable"]) if (typeof item[key] === "string" && item[key] !== "") return item[key];
  return null;
}

export function same(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (Array.isArray(one) && Array.isArray(other)) return one.length === other.length && one.every((item, index) => same(item, other[index]));
  if (isObject(one) && isObject(other)) {
    const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
    return [...keys].every((key) => same(one[key], other[key]));
  }
  return false;
}

export function differences(before: unknown, after: unknown, place: DifferencePart[] = []): Difference[] {
  if (same(before, after)) return [];
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => differences(before[key], after[key], [...place, { kind: "key", text: key }]));
  }
  if (Array.isArray(before) && Array.isArray(after) && [...before, ...after].every(isObject)) return listDifferences(before, after, place);
  return [{ place, before, after }];
}

function listDifferences(before: unknown[], after: unknown[], place: DifferencePart[]): Difference[] {
  const named = (items: unknown[]) => new Map(items.map((item, index) => [identity(item) ?? `${index + 1}`, item]));
  const old = named(before);
  const fresh = named(after);
  const keys = [...new Set([...old.keys(), ...fresh.keys()])];
  const found = keys.flatMap((key) => differences(old.get(key), fresh.get(key), [...place, { kind: "item", text: key }]));
  return found.length ? found : [{ place: [...place, { kind: "key", text: "order" }], before: [...old.keys()], after: [...fresh.keys()] }];
}

/**
 * Both sets of changes in one document: theirs, and ours over them. Lists are taken whole from whoever changed them, ours
 * first, because half of two lists is neither.
 */
export function combine<T>(base: T, ours: T, theirs: T): T {
  if (same(base, ours)) return theirs;
  if (same(base, theirs) || !isObject(base) || !isObject(ours) || !isObject(theirs)) return ours;
  const merged: Holder = {};
  for (const key of Object.keys({ ...theirs, ...ours })) merged[key] = combine((base as Holder)[key], (ours as Holder)[key], (theirs as Holder)[key]);
  return merged as T;
}
