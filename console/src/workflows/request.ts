/** A request as it is kept of a run. Pure. */
export interface KeptRequest {
  method: string;
  url: string;
  headers: Record<string, unknown>;
  query: Record<string, unknown>;
  body: unknown;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Null when there is none, or when it was too big to be kept whole. */
export function requestOf(kept: unknown): KeptRequest | null {
  if (!isObject(kept) || typeof kept["method"] !== "string" || typeof kept["url"] !== "string") return null;
  const { method, url, headers, query, body } = kept;
  return { method, url, headers: isObject(headers) ? headers : {}, query: isObject(query) ? query : {}, body: body ?? null };
}
