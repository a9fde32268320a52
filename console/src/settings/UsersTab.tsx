import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { usersQuery } from "@/api/queries";
import { useSession } from "@/api/session";
import type { User } from "@/api/types";
import { Button } from "@/ui/Button";
import { DataTable, type Column } from "@/ui/DataTable";
import { Skeleton } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { AdminsOnly } from "./AdminsOnly";
import { DeleteUserDialog } from "./DeleteUserDialog";
import { ListPart } from "./ListPart";
import { OwnPassword } from "./OwnPassword";
import { UserDialog } from "./UserDialog";

/** Who signs in here, and what each may do. */
export function UsersTab() {
  const { t } = useTranslation();
  return (
    <>
      <AdminsOnly why={t("settings.usersAdmins")}>
        <Users />
      </AdminsOnly>
      <OwnPassword />
    </>
  );
}

type Asking = { what: "add" } | { what: "change" | "delete"; user: User };

function Users() {
  const { t } = useTranslation();
  const { dateTime } = useFormats();
  const me = useSession()?.user?.id;
  const users = useQuery(usersQuery);
  const [asking, setAsking] = useState<Asking | null>(null);
  if (users.error && !users.data) throw users.error;
  const admins = (users.data ?? []).filter((user) => user.role === "admin").length;
  const only = (user: User) => user.role === "admin" && admins === 1;
  const columns: Column<User>[] = [
    {
      key: "name",
      label: t("signIn.name"),
      cell: (user) => (
        <span className="break-words">
          <span className="font-semibold">{user.name}</span>
          {user.id === me && <span className="text-ink-soft">{` ${t("settings.you")}`}</span>}
        </span>
      ),
    },
    { key: "role", label: t("settings.role"), cell: (user) => t(`roles.${user.role}`) },
    {
      key: "seen",
      label: t("settings.lastSignIn"),
      cell: (user) => (
        <span className="text-sm">
          <span className="md:hidden">{t("settings.lastSignInAt", { time: user.last_sign_in_at ? dateTime(user.last_sign_in_at) : t("settings.never") })}</span>
          <span className="hidden md:inline">{user.last_sign_in_at ? dateTime(user.last_sign_in_at) : t("settings.never")}</span>
        </span>
      ),
    },
    { key: "since", label: t("settings.since"), wideOnly: true, cell: (user) => <span className="text-sm">{dateTime(user.created_at)}</span> },
    {
      key: "actions",
      label: t("settings.actions"),
      cell: (user) => (
        <span className="flex flex-wrap gap-2">
          <Button small aria-label={t("settings.changeUser", { name: user.name })} onClick={() => setAsking({ what: "change", user })}>
            {t("settings.change")}
          </Button>
          <Button small disabled={only(user)} title={only(user) ? t("settings.onlyAdmin") : undefined} aria-label={t("settings.deleteUser", { name: user.name })} onClick={() => setAsking({ what: "delete", user })}>
            {t("settings.remove")}
          </Button>
        </span>
      ),
    },
  ];
  return (
    <ListPart
      title={t("settings.users")}
      hint={t("settings.usersHint")}
      aside={
        <Button icon={Plus} onClick={() => setAsking({ what: "add" })}>
          {t("settings.newUser")}
        </Button>
      }
    >
      {users.data ? <DataTable caption={t("settings.users")} columns={columns} items={[...users.data].sort((one, other) => one.name.localeCompare(other.name))} keyOf={(user) => user.id} /> : <Skeleton rows={2} />}
      {admins === 1 && <p className="text-sm text-ink-soft">{t("settings.onlyAdmin")}</p>}
      {asking?.what === "add" && <UserDialog user={null} lastAdmin={false} onClose={() => setAsking(null)} />}
      {asking?.what === "change" && <UserDialog user={asking.user} lastAdmin={only(asking.user)} onClose={() => setAsking(null)} />}
      {asking?.what === "delete" && <DeleteUserDialog user={asking.user} own={asking.user.id === me} onClose={() => setAsking(null)} />}
    </ListPart>
  );
}
