import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { agentsQuery, connectionsQuery, keysQuery, usersQuery } from "@/api/queries";
import { listAudit, type AuditFilter } from "@/api/settings";
import { Button } from "@/ui/Button";
import { SelectInput } from "@/ui/Inputs";
import { EmptyState, Section, Skeleton } from "@/ui/Layouts";
import { AdminsOnly } from "./AdminsOnly";
import { AuditItem } from "./AuditItem";
import { TARGETS } from "./audit";

/** Who changed what, newest first. */
export function AuditTab() {
  const { t } = useTranslation();
  return (
    <AdminsOnly why={t("audit.admins")}>
      <Audit />
    </AdminsOnly>
  );
}

function Audit() {
  const { t } = useTranslation();
  const [filter, setFilter] = useState<AuditFilter>({});
  const users = useQuery(usersQuery);
  const keys = useQuery(keysQuery);
  const agents = useQuery(agentsQuery);
  const connections = useQuery(connectionsQuery);
  const entries = useInfiniteQuery({
    queryKey: ["audit", filter],
    queryFn: ({ pageParam }) => listAudit(filter, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    staleTime: 0,
  });
  const names = useMemo(
    () =>
      new Map([
        ...(users.data ?? []).map((user) => [user.id, user.name] as const),
        ...(keys.data ?? []).map((key) => [key.id, key.name] as const),
        ...(agents.data ?? []).map((agent) => [agent.id, agent.name] as const),
        ...(connections.data ?? []).map((item) => [item.id, item.document.name] as const),
      ]),
    [users.data, keys.data, agents.data, connections.data],
  );
  if (entries.error && !entries.data) throw entries.error;
  const items = entries.data?.pages.flatMap((page) => page.items) ?? [];
  const people = [
    ...(users.data ?? []).map((user) => ({ value: user.id, label: user.name })),
    ...(keys.data ?? []).map((key) => ({ value: key.id, label: t("audit.key", { name: key.name }) })),
    { value: "environment", label: t("audit.adminKey") },
  ];
  return (
    <Section title={t("settings.tab.audit")} hint={t("audit.hint")}>
      <div className="grid gap-4 sm:grid-cols-2 lg:max-w-2xl">
        <SelectInput label={t("audit.who")} value={filter.actor_id ?? ""} empty={t("audit.everybody")} choices={people} onChange={(value) => setFilter({ ...filter, actor_id: value || undefined })} />
        <SelectInput label={t("audit.what")} value={filter.target_kind ?? ""} empty={t("audit.everything")} choices={TARGETS.map((value) => ({ value, label: t(`audit.target.${value}`) }))} onChange={(value) => setFilter({ ...filter, target_kind: value || undefined })} />
      </div>
      {entries.isPending ? (
        <Skeleton />
      ) : items.length === 0 ? (
        <EmptyState icon={History} title={t("audit.empty")} hint={t("audit.emptyHint")} />
      ) : (
        <ul className="divide-y divide-line">
          {items.map((entry) => (
            <AuditItem key={entry.id} entry={entry} names={names} />
          ))}
        </ul>
      )}
      {entries.hasNextPage && (
        <div className="flex justify-center">
          <Button busy={entries.isFetchingNextPage} onClick={() => void entries.fetchNextPage()}>
            {t("audit.older")}
          </Button>
        </div>
      )}
    </Section>
  );
}
