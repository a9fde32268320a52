/** What the tabs of the agent editor share. */
import { createContext, useContext } from "react";
import type { Agent, FailoverTab } from "@/agent/schema";
import type { DocumentForm } from "@/form/FormContext";

export interface FailoverEditing {
  /** What calls do now. */
  live: FailoverTab;
  draft: FailoverTab;
  dirty: boolean;
  form: DocumentForm;
  change: (edit: (tab: FailoverTab) => FailoverTab) => void;
  save: () => Promise<void>;
  saving: boolean;
  discard: () => void;
}

export interface AgentEditor {
  id: string;
  draft: Agent;
  base: Agent;
  dirty: boolean;
  readOnly: boolean;
  liveVersion: number | null;
  form: DocumentForm;
  /** Change several values at once, as one step to undo. */
  edit: (edit: (draft: Agent) => Agent) => void;
  undo: () => void;
  redo: () => void;
  canUndo: boolean;
  canRedo: boolean;
  /** True when it is stored. */
  save: () => Promise<boolean>;
  saving: boolean;
  revision: number;
  /** Take what the server holds now. */
  reload: () => Promise<void>;
  failover: FailoverEditing;
}

export const AgentEditorContext = createContext<AgentEditor | null>(null);

export function useAgentEditor(): AgentEditor {
  const editor = useContext(AgentEditorContext);
  if (!editor) throw new Error("no agent is being edited");
  return editor;
}
