import { FileText, Globe } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { KnowledgeDocument } from "@/api/types";
import { Button } from "@/ui/Button";
import { TextInput } from "@/ui/Inputs";
import { EmptyState, Section, Skeleton } from "@/ui/Layouts";
import { AddPageDialog } from "./AddPageDialog";
import { DocumentRow } from "./DocumentRow";
import { useSource } from "./editor";
import { UploadArea } from "./UploadArea";

const SHOWN = 50;
/** Fewer are found by looking. */
const FILTERED_FROM = 12;

/** Every document with how it stands; more of them, by file or by address. */
export function DocumentList({ documents }: { documents: readonly KnowledgeDocument[] | undefined }) {
  const { t, i18n } = useTranslation();
  const { id, readOnly, stored } = useSource();
  const [adding, setAdding] = useState(false);
  const [filter, setFilter] = useState("");
  const [shown, setShown] = useState(SHOWN);
  const sorted = useMemo(() => {
    const order = new Intl.Collator(i18n.language, { numeric: true, sensitivity: "base" });
    return documents?.toSorted((one, other) => order.compare(one.name, other.name));
  }, [documents, i18n.language]);
  const listed = useMemo(() => new Set(stored.pages.map((page) => page.url)), [stored.pages]);
  const matching = sorted?.filter((document) => document.name.toLowerCase().includes(filter.trim().toLowerCase()));

  return (
    <Section
      title={t("knowledge.documentsTitle")}
      hint={t("knowledge.documentsHint")}
      aside={
        !readOnly && (
          <Button small icon={Globe} onClick={() => setAdding(true)}>
            {t("knowledge.addPage")}
          </Button>
        )
      }
    >
      {!readOnly && <UploadArea id={id} />}
      {!sorted || !matching ? (
        <Skeleton rows={3} />
      ) : sorted.length === 0 ? (
        <NoDocument readOnly={readOnly} />
      ) : (
        <>
          {sorted.length > FILTERED_FROM && <TextInput label={t("knowledge.filter")} type="search" value={filter} onChange={setFilter} />}
          {matching.length === 0 && <p className="text-ink-soft">{t("knowledge.noneFound")}</p>}
          <ul className="-mx-2 grid divide-y divide-line">
            {matching.slice(0, shown).map((document) => (
              <DocumentRow key={document.id} source={id} document={document} listed={document.url !== null && listed.has(document.url)} readOnly={readOnly} />
            ))}
          </ul>
          {matching.length > shown && (
            <div>
              <Button small onClick={() => setShown(shown + SHOWN * 4)}>
                {t("knowledge.more", { count: matching.length - shown })}
              </Button>
            </div>
          )}
        </>
      )}
      {adding && <AddPageDialog id={id} onClose={() => setAdding(false)} />}
    </Section>
  );
}

/** Below the place where files are dropped it says the least; whoever may not drop any is told who may. */
function NoDocument({ readOnly }: { readOnly: boolean }) {
  const { t } = useTranslation();
  if (readOnly) return <EmptyState icon={FileText} title={t("knowledge.noDocument")} hint={t("knowledge.noDocumentViewer")} />;
  return (
    <div className="grid justify-items-center gap-1 px-4 py-5 text-center">
      <p className="font-semibold">{t("knowledge.noDocument")}</p>
      <p className="max-w-md text-sm text-ink-soft">{t("knowledge.noDocumentHint")}</p>
    </div>
  );
}
