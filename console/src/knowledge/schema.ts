/** A data source as a schema, and the bounds of what is sent to one: as the server has them. */
import { z } from "zod";
import { report, text, unique } from "@/agent/schemaParts";
import type { DataSource } from "@/api/types";

export const MAX_NAME = 200;
export const MAX_DESCRIPTION = 4000;
export const MAX_PAGES = 500;
export const MAX_URL = 2000;
export const MAX_QUESTION = 500;
export const MAX_DOCUMENT_BYTES = 50 * 1024 * 1024;

export const webAddress = z
  .string()
  .min(1)
  .max(MAX_URL)
  .superRefine((value, ctx) => {
    if (value !== "" && !/^https?:\/\/\S+$/.test(value)) report(ctx, [], "errors.url");
  });

export const dataSource = z
  .object({
    name: text(1, MAX_NAME),
    language: z.string().min(2),
    description: text(1, MAX_DESCRIPTION).nullable(),
    pages: z.array(z.object({ url: webAddress })).max(MAX_PAGES),
  })
  .superRefine((value, ctx) => unique(ctx, value.pages.map((page) => page.url), (index) => ["pages", index, "url"], "knowledge.duplicatePage"));

export function blankSource(language: string): DataSource {
  return { name: "", language, description: null, pages: [] };
}
