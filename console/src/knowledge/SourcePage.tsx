import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { getSource } from "@/api/knowledge";
import { Problem } from "@/api/problem";
import { MissingPage } from "@/app/MissingPage";
import { Skeleton } from "@/ui/Layouts";
import { SourceEditor } from "./SourceEditor";

/** One data source. */
export function SourcePage() {
  const { id = "" } = useParams();
  const source = useQuery({ queryKey: ["data-sources", id], queryFn: () => getSource(id), staleTime: Infinity, gcTime: 0 });
  if (source.error instanceof Problem && source.error.status === 404) return <MissingPage />;
  if (source.error) throw source.error;
  if (!source.data) return <Skeleton rows={6} />;
  return <SourceEditor key={id} loaded={source.data} />;
}
