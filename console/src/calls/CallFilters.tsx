import { useState } from "react";
import { SlidersHorizontal } from "lucide-react";
import { useTranslation } from "react-i18next";
import { CALL_STATUSES, type AgentSummary } from "@/api/types";
import { Button } from "@/ui/Button";
import { SelectInput, TextInput } from "@/ui/Inputs";
import { FILTERS } from "./filter";

interface CallFiltersProps {
  search: URLSearchParams;
  onChange: (search: URLSearchParams) => void;
  agents: readonly AgentSummary[];
}

/** What to show of the calls; kept in the page's address. Folded on narrow screens. */
export function CallFilters({ search, onChange, agents }: CallFiltersProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [number, setNumber] = useState(search.get("number") ?? "");
  const count = FILTERS.filter((name) => search.get(name)).length;

  function set(name: string, value: string) {
    const next = new URLSearchParams(search);
    if (value) next.set(name, value);
    else next.delete(name);
    onChange(next);
  }

  return (
    <div className="mb-5">
      <Button icon={SlidersHorizontal} className="sm:hidden" aria-expanded={open} onClick={() => setOpen(!open)}>
        {count ? t("calls.filters", { count }) : t("calls.noFilter")}
      </Button>
      <form
        role="search"
        className={`${open ? "mt-3 grid" : "hidden"} items-start gap-4 sm:grid sm:grid-cols-3 lg:grid-cols-6`}
        onSubmit={(event) => {
          event.preventDefault();
          set("number", number.trim());
        }}
      >
        <SelectInput label={t("fields.status")} value={search.get("status") ?? ""} empty={t("calls.all")} choices={CALL_STATUSES.map((value) => ({ value, label: t(`calls.status.${value}`) }))} onChange={(value) => set("status", value)} />
        <SelectInput label={t("calls.column.agent")} value={search.get("agent_id") ?? ""} empty={t("calls.all")} choices={agents.map((agent) => ({ value: agent.id, label: agent.name }))} onChange={(value) => set("agent_id", value)} />
        <SelectInput label={t("fields.direction")} value={search.get("direction") ?? ""} empty={t("calls.all")} choices={["inbound", "outbound"].map((value) => ({ value, label: t(`values.${value}`) }))} onChange={(value) => set("direction", value)} />
        <TextInput label={t("calls.number")} type="search" value={number} onChange={setNumber} onBlur={() => set("number", number.trim())} placeholder="+33612345678" />
        <TextInput label={t("calls.since")} type="date" value={search.get("since") ?? ""} onChange={(value) => set("since", value)} />
        <TextInput label={t("calls.until")} type="date" value={search.get("until") ?? ""} onChange={(value) => set("until", value)} />
      </form>
    </div>
  );
}
