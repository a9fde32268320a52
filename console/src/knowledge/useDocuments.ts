import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { listDocuments } from "@/api/knowledge";
import { dataSourcesQuery } from "@/api/queries";
import type { DataSourceState, KnowledgeDocument } from "@/api/types";

const READING_MS = 1000;
const QUIET_MS = 15_000;

export const documentsQuery = (id: string) => queryOptions({ queryKey: ["data-sources", id, "documents"], queryFn: () => listDocuments(id) });

export const isPending = (document: KnowledgeDocument) => document.state === "waiting" || document.state === "reading";

/** The documents of a data source, looked at often while one is read. */
export function useDocuments(id: string) {
  const client = useQueryClient();
  const documents = useQuery({ ...documentsQuery(id), refetchInterval: ({ state }) => (state.data?.some(isPending) ? READING_MS : QUIET_MS) });
  const standing = documents.data?.map((document) => document.state).join();
  useEffect(() => void client.invalidateQueries({ queryKey: dataSourcesQuery.queryKey, exact: true }), [client, standing]);
  return documents;
}

/** The state of a data source, as the server finds it from its documents. */
export function stateOf(documents: readonly KnowledgeDocument[]): DataSourceState {
  const searched = documents.filter((document) => document.searchable);
  const pending = documents.filter(isPending).length;
  return {
    state: searched.length ? "ready" : pending ? "indexing" : documents.length ? "error" : "empty",
    documents: documents.length,
    passages: searched.reduce((sum, document) => sum + document.passages, 0),
    pending,
    refused: documents.filter((document) => document.state === "refused").length,
  };
}
