import { Problem } from "@/api/problem";
import { MissingPage } from "@/app/MissingPage";
import { AskBox } from "./AskBox";
import { DocumentList } from "./DocumentList";
import { useSource } from "./editor";
import { stateOf, useDocuments } from "./useDocuments";
import { UsedBy } from "./UsedBy";

/** What is in the data source; trying it beside, and who answers from it. */
export function DocumentsTab() {
  const { id } = useSource();
  const documents = useDocuments(id);
  if (documents.error instanceof Problem && documents.error.status === 404) return <MissingPage />; // deleted meanwhile
  if (documents.error && !documents.data) throw documents.error; // one look that failed takes nothing away
  const ready = documents.data !== undefined && stateOf(documents.data).state === "ready";
  return (
    <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <DocumentList documents={documents.data} />
      <div className="grid gap-6">
        <AskBox id={id} ready={ready} />
        <UsedBy id={id} />
      </div>
    </div>
  );
}
