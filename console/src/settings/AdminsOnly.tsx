import type { ReactNode } from "react";
import { Lock } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useMay, useSession } from "@/api/session";
import { Notice } from "@/ui/Layouts";

/** What only administrators see; the others read why they do not. */
export function AdminsOnly({ why, children }: { why: string; children: ReactNode }) {
  const { t } = useTranslation();
  const admin = useMay("admin");
  const role = useSession()?.user?.role ?? "viewer";
  if (admin) return children;
  return (
    <Notice tone="info" icon={Lock} title={t("settings.adminsOnly")}>
      {why} {t("settings.yourRole", { role: t(`roles.${role}`) })}
    </Notice>
  );
}
