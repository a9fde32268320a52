/** Places in a document, as the API writes them: `actions[1].max_ring_seconds`. */
import type { Segment } from "@/agent/schemaParts";

export type { Segment };

export function parsePath(text: string): Segment[] {
  return [...text.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([whole, index]) => (index === undefined ? whole : Number(index)));
}

export function formatPath(path: readonly Segment[]): string {
  return path.reduce<string>((text, part) => (typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${part}` : part), "");
}

function isHolder(value: unknown): value is Record<Segment, unknown> {
  return typeof value === "object" && value !== null;
}

export function getAt(value: unknown, path: readonly Segment[]): unknown {
  return path.reduce<unknown>((current, part) => (isHolder(current) ? current[part] : undefined), value);
}

/** A copy with one value changed; everything that the path does not touch is shared with the original. */
export function setAt<T>(value: T, path: readonly Segment[], next: unknown): T {
  const [head, ...rest] = path;
  if (head === undefined) return next as T;
  if (Array.isArray(value)) return value.with(Number(head), setAt(value[Number(head)], rest, next)) as T;
  const holder: Record<Segment, unknown> = isHolder(value) ? value : {};
  return { ...holder, [head]: setAt(holder[head], rest, next) } as T;
}
