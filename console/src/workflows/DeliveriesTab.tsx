import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { RotateCw, Send } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { useTranslation } from "react-i18next";
import type { Delivery } from "@/api/types";
import { listDeliveries, resendDelivery } from "@/api/workflows";
import { Button } from "@/ui/Button";
import { DataTable, type Column } from "@/ui/DataTable";
import { SelectInput } from "@/ui/Inputs";
import { Lamp, type LampState } from "@/ui/Lamp";
import { EmptyState, Skeleton } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { useShowError, useToasts } from "@/ui/useToasts";
import { useWorkflowEditor } from "./editor";

const STATUSES = ["due", "delivered", "failed"] as const;
const LAMPS: Record<Delivery["status"], LampState> = { due: "waiting", delivered: "lit", failed: "alarm" };

/** What was told after calls, and what still waits to be. */
export function DeliveriesTab() {
  const { t } = useTranslation();
  const { id, readOnly } = useWorkflowEditor();
  const [search, setSearch] = useSearchParams();
  const status = STATUSES.find((known) => known === search.get("status"));
  const deliveries = useInfiniteQuery({
    queryKey: ["workflows", id, "deliveries", status],
    queryFn: ({ pageParam }) => listDeliveries(id, status, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: 10_000,
  });
  const { dateTime, number } = useFormats();
  if (deliveries.error && !deliveries.data) throw deliveries.error;
  const columns: Column<Delivery>[] = [
    {
      key: "when",
      label: t("workflows.forCall"),
      cell: (item) => (
        <Link to={`/calls/${item.call_id}`} className="numbers font-semibold hover:underline">
          {dateTime(item.created_at)}
        </Link>
      ),
    },
    {
      key: "status",
      label: t("fields.status"),
      cell: (item) => (
        <span className="grid gap-0.5">
          <Lamp state={LAMPS[item.status]} label={t(`workflows.delivery.${item.status}`)} />
          {item.next_at && <span className="numbers text-sm text-ink-soft">{t("workflows.nextAttempt", { when: dateTime(item.next_at) })}</span>}
          {item.error && <code className="text-xs break-words text-ink-soft">{item.error}</code>}
        </span>
      ),
    },
    { key: "attempts", label: t("workflows.attempts"), numeric: true, wideOnly: true, cell: (item) => number(item.attempts) },
    { key: "resend", label: t("ui.actions"), cell: (item) => !readOnly && item.status !== "delivered" && <Resend id={item.id} workflow={id} /> },
  ];
  const items = deliveries.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <p className="mb-4 max-w-2xl text-ink-soft">{t("workflows.deliveriesHint")}</p>
      <div className="mb-5 max-w-60">
        <SelectInput label={t("fields.status")} value={status ?? ""} empty={t("calls.all")} choices={STATUSES.map((value) => ({ value, label: t(`workflows.delivery.${value}`) }))} onChange={(value) => setSearch(value ? { status: value } : {})} />
      </div>
      {deliveries.isPending ? (
        <Skeleton />
      ) : items.length === 0 ? (
        <EmptyState icon={Send} title={t(status ? "workflows.noMatch" : "workflows.noDelivery")} hint={t(status ? "workflows.noMatchHint" : "workflows.noDeliveryHint")}>
          {status && <Button onClick={() => setSearch({})}>{t("calls.clear")}</Button>}
        </EmptyState>
      ) : (
        <>
          <DataTable caption={t("workflows.tab.deliveries")} columns={columns} items={items} keyOf={(item) => item.id} />
          {deliveries.hasNextPage && (
            <div className="mt-4 flex justify-center">
              <Button busy={deliveries.isFetchingNextPage} onClick={() => void deliveries.fetchNextPage()}>
                {t("workflows.older")}
              </Button>
            </div>
          )}
        </>
      )}
    </>
  );
}

function Resend({ id, workflow }: { id: string; workflow: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const showError = useShowError();
  const sending = useMutation({
    mutationFn: () => resendDelivery(id),
    onSuccess: () => show({ kind: "done", text: t("workflows.resent") }),
    onError: showError,
    onSettled: () => void client.invalidateQueries({ queryKey: ["workflows", workflow, "deliveries"] }),
  });
  return (
    <Button small icon={RotateCw} busy={sending.isPending} onClick={() => sending.mutate()}>
      {t("workflows.resend")}
    </Button>
  );
}
