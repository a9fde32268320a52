import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowLeft, ShieldAlert, Trash2, Unplug } from "lucide-react";
import { useEffect, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { useTranslation } from "react-i18next";
import { deleteCall } from "@/api/calls";
import { callEventsPath } from "@/api/talk";
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
import { FromBrowser } from "./FromBrowser";
import { HangUp } from "./HangUp";
import { Latencies } from "./Latencies";
import { RecordingPlayer } from "./RecordingPlayer";
import { lampOf } from "./status";
import { Timeline } from "./Timeline";
import { useCallEvents } from "./useCallEvents";

/** Where the events of a call cannot be followed, it is looked at this often whether it is over. */
const UNTOLD_MS = 10_000;

export function CallPage() {
  const { id = "" } = useParams();
  return <OneCall key={id} id={id} />;
}

/** One call: how it went, what was said and done, how quick it was. A call under way is followed as it happens. */
function OneCall({ id }: { id: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const call = useQuery({ ...callQuery(id), refetchInterval: (query) => (query.state.data?.status === "in_progress" ? UNTOLD_MS : false) });
  const live = call.data?.status === "in_progress";
  const feed = useCallEvents(live ? callEventsPath(id) : null);
  const timeline = useQuery({ ...timelineQuery(id), enabled: call.data !== undefined && !live });
  const agents = useQuery(agentsQuery);
  const { dateTime } = useFormats();
  const [at, setAt] = useState<number | null>(null);
  const [seek, setSeek] = useState<number | null>(null);
  const told = feed.events.length;
  const stopped = feed.state === "over" || feed.state === "refused";
  useEffect(() => {
    if (live && (told > 0 || stopped)) void client.invalidateQueries({ queryKey: callQuery(id).queryKey, exact: true });
    if (stopped) void client.invalidateQueries({ queryKey: ["calls"] });
  }, [client, id, live, told, stopped]);
  if (call.error instanceof Problem && call.error.status === 404) return <MissingPage />;
  const events = timeline.data ?? (live || told > 0 ? feed.events : undefined);
  if ((call.error && !call.data) || (timeline.error && !events)) throw call.error ?? timeline.error;
  if (!call.data || !events) return <Skeleton rows={6} />;

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
            {found.from_browser && <FromBrowser />}
          </span>
        }
        actions={live ? <HangUp id={id} /> : <DeleteCall call={found} />}
      />
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="grid gap-6">
          {live && feed.state === "lost" && (
            <Notice tone="warn" icon={Unplug} title={t("talk.serverLost")}>
              {t("talk.serverLostHint")}
            </Notice>
          )}
          {found.trigger && (
            <Notice tone="alarm" icon={ShieldAlert} title={t("calls.failedOver", { trigger: t([`triggers.${found.trigger}`, found.trigger]) })}>
              {found.failover_action && t("calls.failoverDone", { action: t([`failover.kind.${found.failover_action}`, found.failover_action]), outcome: t([`outcomes.${found.failover_outcome}`, found.failover_outcome ?? ""]) })}
            </Notice>
          )}
          {found.has_recording && !live && <RecordingPlayer id={found.id} seek={seek} onTime={setAt} />}
          <Section title={t("calls.timeline")} hint={t(live ? "calls.timelineLive" : found.has_recording ? "calls.timelineSeek" : "calls.timelineHint")}>
            <Timeline events={events} at={at} onSeek={found.has_recording && !live ? setSeek : undefined} live={live} />
          </Section>
        </div>
        <div className="grid gap-6">
          <CallFacts call={found} agentName={agents.data?.find((agent) => agent.id === found.agent_id)?.name} events={events} />
          <Latencies events={events} />
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
