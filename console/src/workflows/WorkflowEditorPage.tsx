import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { Problem } from "@/api/problem";
import { workflowQuery } from "@/api/queries";
import { MissingPage } from "@/app/MissingPage";
import { Skeleton } from "@/ui/Layouts";
import { WorkflowEditor } from "./WorkflowEditor";

export function WorkflowEditorPage() {
  const { id = "" } = useParams();
  const workflow = useQuery(workflowQuery(id));
  if (workflow.error instanceof Problem && workflow.error.status === 404) return <MissingPage />;
  if (workflow.error) throw workflow.error;
  if (!workflow.data) return <Skeleton rows={6} />;
  return <WorkflowEditor key={id} loaded={workflow.data} />;
}
