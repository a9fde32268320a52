/** Data sources: what is in them, taken in, read, removed, and a question tried. */
import { all } from "./agents";
import { request } from "./client";
import type { DataSource, DataSourceResource, KnowledgeDocument, SearchAnswer, TakenDocument, Use } from "./types";
import { upload } from "./upload";

const at = (id: string) => `/data-sources/${encodeURIComponent(id)}`;
const documentAt = (id: string, document: string) => `${at(id)}/documents/${encodeURIComponent(document)}`;

export const getSource = (id: string) => request<DataSourceResource>("GET", at(id));
export const createSource = (document: DataSource) => request<DataSourceResource>("POST", "/data-sources", { body: { document } });
export const saveSource = (id: string, document: DataSource, revision: number) => request<DataSourceResource>("PUT", at(id), { body: document, revision });
export const deleteSource = (id: string) => request<undefined>("DELETE", at(id));
export const listUses = async (id: string) => (await request<{ items: Use[] }>("GET", `${at(id)}/uses`)).items;

export const listDocuments = (id: string) => all<KnowledgeDocument>(`${at(id)}/documents`);
export const addPage = (id: string, url: string) => request<TakenDocument>("POST", `${at(id)}/pages`, { body: { url } });
export const retryDocument = (id: string, document: string) => request<KnowledgeDocument>("POST", `${documentAt(id, document)}/retry`);
export const deleteDocument = (id: string, document: string) => request<undefined>("DELETE", documentAt(id, document));
export const searchSource = (id: string, question: string) => request<SearchAnswer>("POST", `${at(id)}/search`, { body: { question } });

export async function sendFile(id: string, file: File, progress: (sent: number) => void): Promise<TakenDocument> {
  const { items } = await upload<{ items: TakenDocument[] }>(`${at(id)}/documents`, "files", file, progress);
  return items[0] as TakenDocument;
}
