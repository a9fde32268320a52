/** What several schemas share. Messages are keys of the dictionaries, in `params.key`. */
import { z } from "zod";
import * as limits from "./limits";

export type Segment = string | number;

export function report(ctx: z.RefinementCtx, path: Segment[], key: string, values: Record<string, unknown> = {}): void {
  ctx.addIssue({ code: "custom", path, message: key, params: { key, ...values } });
}

/** Report every value that appeared before, at the place of its second appearance. */
export function unique(ctx: z.RefinementCtx, values: string[], pathOf: (index: number) => Segment[], key: string): void {
  const seen = new Set<string>();
  values.forEach((value, index) => {
    if (value !== "" && seen.has(value)) report(ctx, pathOf(index), key, { value });
    seen.add(value);
  });
}

export const text = (min: number, max: number) => z.string().trim().min(min).max(max);
export const range = (bounds: limits.Range) => z.number().min(bounds.min).max(bounds.max);
export const identifier = z.string().min(1);
export const template = z.string().max(limits.MAX_TEMPLATE);

export const header = z.object({
  name: z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, { error: "errors.headerName" }),
  value: z.string().max(limits.MAX_HEADER_VALUE).refine((value) => !/[\r\n\0]/.test(value), { params: { key: "errors.headerValue" } }),
});

export const spokenText = z
  .object({ text: text(1, limits.MAX_SPOKEN_TEXT), language: z.string().min(2) })
  .superRefine((value, ctx) => {
    if (value.text.includes("{{") || value.text.includes("{%")) report(ctx, ["text"], "errors.literalText");
  });

/** A union told apart by `type`. */
export function oneOf<const T extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]]>(options: T) {
  return z.discriminatedUnion("type", options);
}
