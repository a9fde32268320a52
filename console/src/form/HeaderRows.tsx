import { Plus, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { MAX_HEADERS } from "@/agent/limits";
import type { Header } from "@/agent/schema";
import { Button, IconButton } from "@/ui/Button";
import { PartError, TextField } from "./Fields";
import { useField } from "./FormContext";
import { TemplateField } from "./VariablePicker";

/** Rows of SIP headers: a name and a value that may hold variables. */
export function HeaderRows({ at, legend, plain }: { at: string; legend: string; plain?: boolean }) {
  const { t } = useTranslation();
  const headers = useField<Header[]>(at);
  const rows = headers.value ?? [];
  return (
    <fieldset className="grid gap-3">
      <legend className="mb-1 text-sm font-semibold">{legend}</legend>
      {rows.length === 0 && <p className="text-sm text-ink-soft">{t("form.noHeaders")}</p>}
      {rows.map((_, index) => (
        <div key={index} className="grid items-start gap-3 rounded-control bg-surface p-3 ring-1 ring-line sm:grid-cols-[1fr_1.4fr_auto]">
          <TextField at={[at, index, "name"]} label={t("fields.headerName")} hint={t("form.headerNameHint")} placeholder="X-Queue" mono />
          {plain ? (
            <TextField at={[at, index, "value"]} label={t("fields.headerValue")} hint={t("form.headerValueHint")} />
          ) : (
            <TemplateField at={[at, index, "value"]} label={t("fields.headerValue")} hint={t("form.headerValueHint")} rows={1} />
          )}
          <IconButton icon={Trash2} label={t("form.removeHeader", { number: index + 1 })} disabled={headers.readOnly} onClick={() => headers.set(rows.toSpliced(index, 1))} className="sm:mt-6" />
        </div>
      ))}
      <PartError at={at} />
      <div>
        <Button small icon={Plus} aria-label={t("form.addHeader")} disabled={headers.readOnly || rows.length >= MAX_HEADERS} onClick={() => headers.set([...rows, { name: "", value: "" }])}>
          {t("ui.add")}
        </Button>
      </div>
    </fieldset>
  );
}
