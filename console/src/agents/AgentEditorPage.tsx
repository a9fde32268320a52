import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { agentQuery, failoverQuery } from "@/api/queries";
import { Problem } from "@/api/problem";
import { MissingPage } from "@/app/MissingPage";
import { Skeleton } from "@/ui/Layouts";
import { AgentEditor } from "./AgentEditor";

export function AgentEditorPage() {
  const { id = "" } = useParams();
  const agent = useQuery(agentQuery(id));
  const failover = useQuery({ ...failoverQuery(id), staleTime: Infinity, gcTime: 0 });
  const error = agent.error ?? failover.error;
  if (error instanceof Problem && error.status === 404) return <MissingPage />;
  if (error) throw error;
  if (!agent.data || !failover.data) return <Skeleton rows={6} />;
  return <AgentEditor key={id} loaded={agent.data} failover={failover.data} />;
}
