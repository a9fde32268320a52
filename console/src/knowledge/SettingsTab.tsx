import { Plus, Save, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { languageChoices } from "@/agents/choices";
import { PartError, SelectField, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { Button, IconButton } from "@/ui/Button";
import { Section } from "@/ui/Layouts";
import { useSource } from "./editor";
import { MAX_DESCRIPTION, MAX_NAME, MAX_PAGES, MAX_URL } from "./schema";

/** What the data source is called, how its words are compared, and the pages that belong to it. */
export function SettingsTab() {
  const { t, i18n } = useTranslation();
  const { stored, draft, dirty, saving, readOnly, save } = useSource();
  return (
    <div className="grid max-w-4xl gap-6">
      <Section title={t("knowledge.identity")}>
        <div className="grid gap-5 md:grid-cols-2">
          <TextField at="name" label={t("fields.name")} maxLength={MAX_NAME} required />
          <SelectField at="language" label={t("fields.language")} hint={t(draft.language === stored.language ? "knowledge.languageHint" : "knowledge.languageChange")} choices={languageChoices(i18n.language)} />
        </div>
        <TextField at="description" label={t("fields.description")} hint={t("knowledge.descriptionHint")} maxLength={MAX_DESCRIPTION} rows={2} nullable />
      </Section>
      <Section title={t("knowledge.pages")} hint={t("knowledge.pagesHint")}>
        <Pages />
      </Section>
      {!readOnly && (
        <div>
          <Button look="primary" icon={Save} disabled={!dirty} busy={saving} onClick={save}>
            {t("ui.save")}
          </Button>
        </div>
      )}
    </div>
  );
}

function Pages() {
  const { t } = useTranslation();
  const pages = useField<{ url: string }[]>("pages");
  return (
    <div className="grid gap-3">
      {pages.value.length === 0 && <p className="text-sm text-ink-soft">{t("knowledge.noPages")}</p>}
      {pages.value.map((_, index) => (
        <div key={index} className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-2">
          <TextField at={["pages", index, "url"]} label={t("knowledge.pageNumber", { number: index + 1 })} hideLabel type="url" placeholder="https://www.example.com/" maxLength={MAX_URL} required />
          <IconButton icon={Trash2} label={t("knowledge.removePage", { number: index + 1 })} disabled={pages.readOnly} onClick={() => pages.set(pages.value.toSpliced(index, 1))} />
        </div>
      ))}
      <PartError at="pages" />
      <div>
        <Button small icon={Plus} disabled={pages.readOnly || pages.value.length >= MAX_PAGES} onClick={() => pages.set([...pages.value, { url: "" }])}>
          {t("knowledge.addListed")}
        </Button>
      </div>
    </div>
  );
}
