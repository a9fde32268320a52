import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { request } from "@/api/client";
import { Problem } from "@/api/problem";
import type { SipConnectionResource } from "@/api/types";
import { MissingPage } from "@/app/MissingPage";
import { Skeleton } from "@/ui/Layouts";
import { ConnectionForm } from "./ConnectionForm";

/** One SIP connection, or a new one. */
export function ConnectionPage() {
  const { id = "" } = useParams();
  const connection = useQuery({
    queryKey: ["sip-connections", id],
    queryFn: () => request<SipConnectionResource>("GET", `/sip-connections/${encodeURIComponent(id)}`),
    enabled: id !== "new",
    staleTime: Infinity,
    gcTime: 0,
  });
  if (id === "new") return <ConnectionForm key="new" loaded={null} />;
  if (connection.error instanceof Problem && connection.error.status === 404) return <MissingPage />;
  if (connection.error) throw connection.error;
  if (!connection.data) return <Skeleton rows={6} />;
  return <ConnectionForm key={id} loaded={connection.data} />;
}
