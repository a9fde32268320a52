/** What the tabs of a data source share. */
import { createContext, useContext } from "react";
import type { DataSource } from "@/api/types";

export interface SourceEditing {
  id: string;
  /** As it is stored. */
  stored: DataSource;
  draft: DataSource;
  dirty: boolean;
  saving: boolean;
  readOnly: boolean;
  save: () => void;
}

export const SourceContext = createContext<SourceEditing | null>(null);

export function useSource(): SourceEditing {
  const editing = useContext(SourceContext);
  if (!editing) throw new Error("no data source is shown");
  return editing;
}
