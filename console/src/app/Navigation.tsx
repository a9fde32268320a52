import { useQueryClient } from "@tanstack/react-query";
import { BookOpen, Cable, Headset, LogOut, PhoneCall, Settings, Workflow } from "lucide-react";
import { NavLink } from "react-router";
import { useTranslation } from "react-i18next";
import { sessionQuery, signOut, useSession } from "@/api/session";
import { useShowError } from "@/ui/useToasts";
import { classes } from "@/ui/classes";
import { LanguageSwitch } from "./LanguageSwitch";

const PLACES = [
  { to: "/agents", label: "nav.agents", icon: Headset },
  { to: "/calls", label: "nav.calls", icon: PhoneCall },
  { to: "/workflows", label: "nav.workflows", icon: Workflow },
  { to: "/knowledge", label: "nav.knowledge", icon: BookOpen },
  { to: "/connections", label: "nav.connections", icon: Cable },
  { to: "/settings", label: "nav.settings", icon: Settings },
] as const;

export function Navigation({ onNavigate }: { onNavigate: () => void }) {
  const { t } = useTranslation();
  const session = useSession();
  const client = useQueryClient();
  const showError = useShowError();

  async function leave() {
    try {
      await signOut();
      client.clear();
      await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
      location.assign("/");
    } catch (error) {
      showError(error);
    }
  }

  return (
    <>
      <nav aria-label={t("nav.label")} className="px-3 pt-3 lg:pt-0">
        <ul className="grid gap-1">
          {PLACES.map(({ to, label, icon: Icon }) => (
            <li key={to}>
              <NavLink
                to={to}
                onClick={onNavigate}
                className={({ isActive }) =>
                  classes("group flex min-h-11 items-center gap-3 rounded-control px-3 font-semibold transition-colors", isActive ? "bg-pine-soft text-white" : "text-[#c8ddd6] hover:bg-pine-soft/60 hover:text-white")
                }
              >
                {({ isActive }) => (
                  <>
                    <Icon aria-hidden className={classes("size-5", isActive && "text-lamp")} />
                    {t(label)}
                  </>
                )}
              </NavLink>
            </li>
          ))}
        </ul>
      </nav>
      <div className="mt-auto grid gap-3 px-5 py-5 text-sm">
        <LanguageSwitch />
        <div className="flex items-center justify-between gap-2 border-t border-white/15 pt-3">
          <span className="min-w-0">
            <span className="block truncate font-semibold text-white">{session?.user?.name}</span>
            {session?.user && <span className="text-[#a9c6bd]">{t(`roles.${session.user.role}`)}</span>}
          </span>
          <button type="button" onClick={() => void leave()} aria-label={t("nav.signOut")} title={t("nav.signOut")} className="grid size-9 shrink-0 place-items-center rounded-control hover:bg-pine-soft">
            <LogOut aria-hidden className="size-4" />
          </button>
        </div>
      </div>
    </>
  );
}
