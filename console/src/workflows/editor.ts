/** What the tabs of the workflow editor share. */
import { createContext, useContext } from "react";
import type { WorkflowRun, WorkflowSample } from "@/api/types";
import type { DocumentForm } from "@/form/FormContext";
import type { Workflow } from "./document";
import type { WorkflowDraft } from "./draft";

export interface WorkflowTrying {
  sample: WorkflowSample;
  setSample: (sample: WorkflowSample) => void;
  /** What is wrong with the sample itself, in the server's words. */
  refused: string | null;
  start: () => void;
  running: boolean;
  run: WorkflowRun | null;
}

export interface WorkflowEditor {
  id: string;
  draft: WorkflowDraft;
  edit: (edit: (draft: WorkflowDraft) => WorkflowDraft) => void;
  /** What runs now. */
  stored: Workflow;
  dirty: boolean;
  readOnly: boolean;
  form: DocumentForm;
  save: () => Promise<void>;
  saving: boolean;
  /** Ids of the steps that are unfolded. */
  open: ReadonlySet<string>;
  setOpen: (id: string, open: boolean) => void;
  trying: WorkflowTrying;
}

export const WorkflowEditorContext = createContext<WorkflowEditor | null>(null);

export function useWorkflowEditor(): WorkflowEditor {
  const editor = useContext(WorkflowEditorContext);
  if (!editor) throw new Error("no workflow is being edited");
  return editor;
}
