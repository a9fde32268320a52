import { useQuery } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { keysQuery } from "@/api/queries";
import type { ApiKey, ApiKeySecret } from "@/api/types";
import { Button } from "@/ui/Button";
import { DataTable, type Column } from "@/ui/DataTable";
import { Lamp } from "@/ui/Lamp";
import { EmptyState, Skeleton } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { AdminsOnly } from "./AdminsOnly";
import { KeyActions } from "./KeyActions";
import { ListPart } from "./ListPart";
import { inOrder, KEY_LAMPS, stateOf } from "./keys";
import { NewKeyDialog } from "./NewKeyDialog";
import { SecretDialog } from "./SecretDialog";

/** What programs use the API with. */
export function KeysTab() {
  const { t } = useTranslation();
  return (
    <AdminsOnly why={t("settings.keysAdmins")}>
      <Keys />
    </AdminsOnly>
  );
}

function Keys() {
  const { t } = useTranslation();
  const { dateTime } = useFormats();
  const keys = useQuery(keysQuery);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<ApiKeySecret | null>(null);
  const [now] = useState(() => Date.now());
  if (keys.error && !keys.data) throw keys.error;
  const columns: Column<ApiKey>[] = [
    {
      key: "name",
      label: t("fields.name"),
      cell: (key) => (
        <span className="grid">
          <span className="font-semibold break-words">{key.name}</span>
          <code className="text-sm text-ink-soft">{`${key.hint}…`}</code>
        </span>
      ),
    },
    {
      key: "scopes",
      label: t("settings.mayDo"),
      cell: (key) => <span className="text-sm">{key.scopes.map((scope) => t(`settings.scope.${scope}`)).join(", ")}</span>,
    },
    {
      key: "state",
      label: t("fields.status"),
      cell: (key) => {
        const state = stateOf(key, now);
        return (
          <span className="grid">
            <Lamp state={KEY_LAMPS[state]} label={t(`settings.keyIs.${state}`)} />
            {key.expires_at && state !== "revoked" && <span className="text-sm text-ink-soft">{t(state === "expired" ? "settings.endedAt" : "settings.endsAt", { time: dateTime(key.expires_at) })}</span>}
          </span>
        );
      },
    },
    {
      key: "used",
      label: t("settings.lastUse"),
      cell: (key) => (
        <span className="grid text-sm">
          <span className="md:hidden">{t("settings.lastUseAt", { time: key.last_used_at ? dateTime(key.last_used_at) : t("settings.never") })}</span>
          <span className="hidden md:inline">{key.last_used_at ? dateTime(key.last_used_at) : t("settings.never")}</span>
          <span className="text-ink-soft">{t("settings.madeBy", { name: key.created_by, time: dateTime(key.created_at) })}</span>
        </span>
      ),
    },
    { key: "actions", label: t("settings.actions"), cell: (key) => <KeyActions item={key} state={stateOf(key, now)} onSecret={setMade} /> },
  ];
  const add = (
    <Button icon={Plus} look={keys.data?.length ? "plain" : "primary"} onClick={() => setMaking(true)}>
      {t("settings.newKey")}
    </Button>
  );
  return (
    <>
      <ListPart title={t("settings.keys")} hint={t("settings.keysHint")} aside={keys.data?.length ? add : undefined}>
        {!keys.data ? (
          <Skeleton rows={2} />
        ) : keys.data.length === 0 ? (
          <EmptyState icon={KeyRound} title={t("settings.noKey")} hint={t("settings.noKeyHint")}>
            {add}
          </EmptyState>
        ) : (
          <DataTable caption={t("settings.keys")} columns={columns} items={inOrder(keys.data, now)} keyOf={(key) => key.id} />
        )}
      </ListPart>
      {making && (
        <NewKeyDialog
          onMade={(key) => {
            setMaking(false);
            setMade(key);
          }}
          onClose={() => setMaking(false)}
        />
      )}
      {made && <SecretDialog made={made} onClose={() => setMade(null)} />}
    </>
  );
}
