import { Search, Upload, Users } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { MAX_DESTINATIONS } from "@/agent/limits";
import type { Destination, TransferAction } from "@/agent/schema";
import { PartError } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { Button } from "@/ui/Button";
import { TextInput } from "@/ui/Inputs";
import { EmptyState, Section } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { AddDestination } from "./AddDestination";
import { DestinationRow } from "./DestinationRow";
import { ImportDialog } from "./ImportDialog";

const ON_A_PAGE = 25;

/** Whom the transfer may ring: a list of up to ten thousand, by hand or out of a file. */
export function Destinations({ action, extensions }: { action: TransferAction; extensions: boolean }) {
  const { t } = useTranslation();
  const { number } = useFormats();
  const list = useField<Destination[]>("destinations");
  const [importing, setImporting] = useState(false);
  const [wanted, setWanted] = useState("");
  const [page, setPage] = useState(0);

  const needle = wanted.trim().toLowerCase();
  const found = action.destinations.map((item, index) => ({ item, index })).filter(({ item }) => !needle || `${item.phone ?? item.extension} ${item.description}`.toLowerCase().includes(needle));
  const pages = Math.max(1, Math.ceil(found.length / ON_A_PAGE));
  const shown = found.slice(Math.min(page, pages - 1) * ON_A_PAGE).slice(0, ON_A_PAGE);

  return (
    <Section
      title={t("transfer.destinations")}
      hint={t("transfer.destinationsHint", { max: number(MAX_DESTINATIONS) })}
      aside={
        <Button icon={Upload} disabled={list.readOnly} onClick={() => setImporting(true)}>
          {t("transfer.import")}
        </Button>
      }
    >
      {action.destinations.length === 0 ? (
        <EmptyState icon={Users} title={t("transfer.empty")} hint={t(extensions ? "transfer.emptySipHint" : "transfer.emptyHint")} />
      ) : (
        <div className="grid gap-3">
          {action.destinations.length > ON_A_PAGE && (
            <div className="relative max-w-md">
              <Search aria-hidden className="pointer-events-none absolute top-3 right-3 size-4 text-ink-faint" />
              <TextInput label={t("transfer.search")} hideLabel placeholder={t("transfer.search")} type="search" value={wanted} onChange={(text) => { setWanted(text); setPage(0); }} />
            </div>
          )}
          <ul className="divide-y divide-line rounded-control ring-1 ring-line">
            {shown.map(({ item, index }) => (
              <DestinationRow key={item.phone ?? item.extension ?? index} index={index} destination={item} onRemove={() => list.set(action.destinations.toSpliced(index, 1))} />
            ))}
          </ul>
          {pages > 1 && (
            <div className="flex flex-wrap items-center gap-3">
              <Button small disabled={page === 0} onClick={() => setPage(page - 1)}>
                {t("ui.previous")}
              </Button>
              <span className="numbers text-sm">{t("ui.page", { page: Math.min(page, pages - 1) + 1, pages })}</span>
              <Button small disabled={page >= pages - 1} onClick={() => setPage(page + 1)}>
                {t("ui.next")}
              </Button>
            </div>
          )}
        </div>
      )}
      <PartError at="destinations" />
      {!list.readOnly && <AddDestination extensions={extensions} known={action.destinations} onAdd={(item) => list.set([...action.destinations, item])} />}
      {importing && <ImportDialog known={action.destinations} onClose={() => setImporting(false)} onImport={(items) => list.set([...action.destinations, ...items])} />}
    </Section>
  );
}
