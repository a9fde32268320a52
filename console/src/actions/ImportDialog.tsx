import { useMutation } from "@tanstack/react-query";
import { Download, FileUp } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { MAX_CSV_BYTES, MAX_DESTINATIONS } from "@/agent/limits";
import type { Destination } from "@/agent/schema";
import { useAgentEditor } from "@/agents/editor";
import { request } from "@/api/client";
import type { NumberImport } from "@/api/types";
import { countryNames, countryOfLanguage } from "@/phone/numbers";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { FieldError } from "@/ui/Field";
import { SelectInput } from "@/ui/Inputs";
import { useShowError, useToasts } from "@/ui/useToasts";
import { ImportPreview } from "./ImportPreview";
import { withKnown } from "./imported";

interface ImportDialogProps {
  known: readonly Destination[];
  onImport: (destinations: Destination[]) => void;
  onClose: () => void;
}

/** A CSV file, looked at row by row before anything is added. */
export function ImportDialog({ known, onImport, onClose }: ImportDialogProps) {
  const { t, i18n } = useTranslation();
  const { show } = useToasts();
  const showError = useShowError();
  const { draft } = useAgentEditor();
  const [country, setCountry] = useState("");
  const [file, setFile] = useState<File>();
  const [tooBig, setTooBig] = useState(false);
  const first = countryOfLanguage(draft.language);
  const countries = useMemo(() => {
    const all = countryNames(i18n.language).map(({ code, name, callingCode }) => ({ value: code, label: `${name} (+${callingCode})` }));
    return [...all.filter((item) => item.value === first), ...all.filter((item) => item.value !== first)];
  }, [i18n.language, first]);

  const reading = useMutation({
    mutationFn: (wanted: { file: File; country: string }) =>
      request<NumberImport>("POST", "/transfer-numbers/import", { file: new Blob([wanted.file], { type: "text/csv" }), query: { country: wanted.country } }),
    onError: showError,
  });
  const result = useMemo(() => reading.data && withKnown(reading.data, known), [reading.data, known]);
  const room = MAX_DESTINATIONS - known.length;
  const tooMany = result !== undefined && result.destinations.length > room;

  function choose(chosen: File | undefined) {
    setFile(chosen);
    reading.reset();
    setTooBig(chosen !== undefined && chosen.size > MAX_CSV_BYTES);
    if (chosen && chosen.size <= MAX_CSV_BYTES) reading.mutate({ file: chosen, country });
  }

  function confirm() {
    if (!result) return;
    onImport(result.destinations);
    show({ kind: "done", text: t("import.done", { count: result.destinations.length }), detail: t("import.doneDetail") });
    onClose();
  }

  return (
    <Dialog
      wide
      title={t("import.title")}
      description={t("import.hint")}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t("ui.cancel")}</Button>
          <Button look="primary" disabled={!result || result.destinations.length === 0 || tooMany} onClick={confirm}>
            {result ? t("import.confirm", { count: result.destinations.length }) : t("import.confirmNone")}
          </Button>
        </>
      }
    >
      <div className="grid gap-5">
        <div className="grid items-start gap-5 sm:grid-cols-2">
          <label className="flex cursor-pointer items-center gap-3 rounded-card border border-dashed border-line-strong bg-raised p-4 has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-brand hover:border-brand hover:bg-brand-wash">
            <FileUp aria-hidden className="size-6 shrink-0 text-brand" />
            <span className="grid min-w-0">
              <span className="font-semibold break-words">{file?.name ?? t("import.choose")}</span>
              <span className="text-sm text-ink-soft">{t("import.format")}</span>
            </span>
            <input type="file" accept=".csv,text/csv" className="sr-only" onChange={(event) => choose(event.target.files?.[0])} />
          </label>
          <SelectInput
            label={t("import.country")}
            hint={t("import.countryHint")}
            value={country}
            empty={t("import.internationalOnly")}
            choices={countries}
            onChange={(value) => {
              setCountry(value);
              if (file && !tooBig) reading.mutate({ file, country: value });
            }}
          />
        </div>
        <FormatTable />
        {tooBig && <FieldError text={t("import.tooBig")} />}
        {reading.isPending && <p role="status">{t("import.reading")}</p>}
        {tooMany && <FieldError text={t("import.tooMany", { room })} />}
        {result && <ImportPreview result={result} />}
      </div>
    </Dialog>
  );
}

/** What the file must hold, and a file to start from. */
function FormatTable() {
  const { t, i18n } = useTranslation();
  const separator = i18n.language === "fr" ? "semicolon" : "comma";
  return (
    <details className="rounded-control bg-raised px-4 py-2 ring-1 ring-line">
      <summary className="py-1 font-semibold">{t("import.structure")}</summary>
      <table className="my-2 w-full text-left text-sm">
        <thead>
          <tr className="text-ink-soft">
            {(["column", "type", "required", "meaning"] as const).map((key) => (
              <th key={key} scope="col" className="py-1 pr-3 font-semibold">
                {t(`import.table.${key}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {(["phone", "description"] as const).map((column) => (
            <tr key={column} className="border-t border-line">
              <td className="py-1.5 pr-3">
                <code>{column}</code>
              </td>
              <td className="pr-3">{t("import.table.text")}</td>
              <td className="pr-3">{t(column === "phone" ? "ui.yes" : "ui.no")}</td>
              <td>{t(`import.table.${column}`)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <a href={`/v1/transfer-numbers/template?separator=${separator}`} download className="mb-2 inline-flex items-center gap-2 font-semibold text-brand-strong underline">
        <Download aria-hidden className="size-4" />
        {t("import.template")}
      </a>
    </details>
  );
}
