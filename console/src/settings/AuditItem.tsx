import { Bot, CircleUserRound, KeyRound } from "lucide-react";
import { Link } from "react-router";
import { useTranslation } from "react-i18next";
import { DifferenceList } from "@/agents/DifferenceList";
import type { AuditEntry } from "@/api/types";
import { useFormats } from "@/ui/useFormats";
import { differencesOf, nameOf, pageOf, placesOf } from "./audit";

const ICONS = { user: CircleUserRound, key: Bot, admin_key: KeyRound };

/** One change: who, what, when; the values behind it when they are asked for. */
export function AuditItem({ entry, names }: { entry: AuditEntry; names: ReadonlyMap<string, string> }) {
  const { t } = useTranslation();
  const { dateTime } = useFormats();
  const Icon = ICONS[entry.actor_kind];
  const page = pageOf(entry);
  const name = nameOf(entry, names);
  const actor = entry.actor_kind === "admin_key" ? t("audit.adminKey") : entry.actor_kind === "key" ? t("audit.key", { name: entry.actor_name }) : entry.actor_name;
  return (
    <li className="grid gap-2 py-3 first:pt-0 last:pb-0">
      <div className="flex items-start gap-3">
        <Icon aria-hidden className="mt-0.5 size-5 shrink-0 text-ink-soft" />
        <div className="grid min-w-0 flex-1 gap-0.5">
          <p className="break-words">
            <span className="font-semibold">{t([`audit.did.${entry.action}`, entry.action])}</span>
            {name && " "}
            {page ? (
              <Link to={page} className="text-brand-strong underline">
                {name}
              </Link>
            ) : (
              <span>{name}</span>
            )}
          </p>
          <p className="text-sm text-ink-soft">
            <span>{actor}</span>
            {" · "}
            <time dateTime={entry.at} className="numbers">
              {dateTime(entry.at)}
            </time>
          </p>
        </div>
      </div>
      {entry.changes.length > 0 && (
        <details className="ml-8 text-sm">
          <summary className="w-fit rounded-control py-0.5 pr-2 text-ink-soft hover:text-ink">{t("audit.changes", { count: entry.changes.length, places: placesOf(entry.changes).map((place) => t([`fields.${place}`, place])).join(", ") })}</summary>
          <div className="mt-2">
            <DifferenceList items={differencesOf(entry.changes)} before={t("audit.before")} after={t("audit.after")} />
          </div>
        </details>
      )}
    </li>
  );
}
