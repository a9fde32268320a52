import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowLeft, ShieldAlert, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { useTranslation } from "react-i18next";
import { deleteCall } from "@/api/calls";
import { Problem } from "@/api/problem";
import { agentsQuery, callQuery, timelineQuery } from "@/api/queries";
import { useMay } from "@/api/session";
import type { CallDetail } from "@/api/types";
import { MissingPage } from "@/app/MissingPage";
import { spaced } from "@/phone/numbers";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { Lamp } from "@/ui/Lamp";
import { Notice, PageHeader, Section, Skeleton } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { useShowError } from "@/ui/useToasts";
import { CallFacts } from "./CallFacts";
import { Latencies } from "./Latencies";
import { RecordingPlayer } from "./RecordingPlayer";
import { lampOf } from "./status";
import { Timeline } from "./Timeline";

/** One call: how it went, what was said and done, how quick it was. A call under way is looked at again every two seconds. */
export function CallPage() {
  const { t } = useTranslation();
  const { id = "" } = useParams();
  const call = useQuery({ ...callQuery(id), refetchInterval: (query) => (query.state.data?.status === "in_progress" ? 2000 : false) });
  const live = call.data?.status === "in_progress";
  const timeline = useQuery({ ...timelineQuery(id), refetchInterval: live ? 2000 : false });
  const agents = useQuery(agentsQuery);
  const { dateTime } = useFormats();
  const [at, setAt] = useState<number | null>(null);
  const [seek, setSeek] = useState<number | null>(null);
  if (call.error instanceof Problem && call.error.status === 404) return <MissingPage />;
  if (call.error ?? timeline.error) throw call.error ?? timeline.error;
  if (!call.data || !timeline.data) return <Skeleton rows={6} />;

  const found = call.data;
  const other = found.direction === "inbound" ? found.caller : found.called;
  return (
    <>
      <PageHeader
        above={
          <Link to="/calls" className="inline-flex items-center gap-1.5 text-sm font-semibold text-brand-strong hover:underline">
            <ArrowLeft aria-hidden className="size-4" />
            {t("nav.calls")}
          </Link>
        }
        title={found.anonymous || !other ? t("calls.withheld") : spaced(other)}
        hint={
          <span className="flex flex-wrap gap-x-4">
            <Lamp state={lampOf(found.status)} live={live} label={t(`calls.status.${found.status}`)} />
            <span>{dateTime(found.started_at)}</span>
          </span>
        }
        actions={!live && <DeleteCall call={found} />}
      />
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="grid gap-6">
          {found.trigger && (
            <Notice tone="alarm" icon={ShieldAlert} title={t("calls.failedOver", { trigger: t([`triggers.${found.trigger}`, found.trigger]) })}>
              {found.failover_action && t("calls.failoverDone", { action: t([`failover.kind.${found.failover_action}`, found.failover_action]), outcome: t([`outcomes.${found.failover_outcome}`, found.failover_outcome ?? ""]) })}
            </Notice>
          )}
          {found.has_recording && <RecordingPlayer id={found.id} seek={seek} onTime={setAt} />}
          <Section title={t("calls.timeline")} hint={t(found.has_recording ? "calls.timelineSeek" : "calls.timelineHint")}>
            <Timeline events={timeline.data} at={at} onSeek={found.has_recording ? setSeek : undefined} />
          </Section>
        </div>
        <div className="grid gap-6">
          <CallFacts call={found} agentName={agents.data?.find((agent) => agent.id === found.agent_id)?.name} />
          <Latencies events={timeline.data} />
        </div>
      </div>
    </>
  );
}

function DeleteCall({ call }: { call: CallDetail }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const showError = useShowError();
  const admin = useMay("admin");
  const [asking, setAsking] = useState(false);
  const deleting = useMutation({
    mutationFn: () => deleteCall(call.id),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["calls", "list"] });
      void navigate("/calls");
    },
    onError: showError,
  });
  if (!admin) return null;
  return (
    <>
      <Button icon={Trash2} onClick={() => setAsking(true)}>
        {t("ui.delete")}
      </Button>
      {asking && <ConfirmDialog title={t("calls.deleteTitle")} description={t("calls.deleteHint")} action={t("ui.delete")} busy={deleting.isPending} onConfirm={() => deleting.mutate()} onClose={() => setAsking(false)} />}
    </>
  );
}
