import { useMutation } from "@tanstack/react-query";
import { Search, SearchX } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { searchSource } from "@/api/knowledge";
import { Problem } from "@/api/problem";
import type { FoundPassage, SearchAnswer } from "@/api/types";
import { Button } from "@/ui/Button";
import { TextInput } from "@/ui/Inputs";
import { Notice, Section } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { useShowError } from "@/ui/useToasts";
import { positionText } from "./reasons";
import { MAX_QUESTION } from "./schema";

/** A question as a caller would ask it, and the passages that the agent gets for it. */
export function AskBox({ id, ready }: { id: string; ready: boolean }) {
  const { t } = useTranslation();
  const showError = useShowError();
  const [question, setQuestion] = useState("");
  const asking = useMutation({
    mutationFn: () => searchSource(id, question.trim()),
    onError: (error) => {
      if (!notReady(error)) showError(error);
    },
  });
  const tooLong = question.trim().length > MAX_QUESTION;

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    if (question.trim() && !tooLong) asking.mutate();
  }

  return (
    <Section title={t("knowledge.ask")} hint={t("knowledge.askHint")}>
      {ready ? (
        <form onSubmit={submit} className="grid gap-3">
          <TextInput label={t("knowledge.question")} placeholder={t("knowledge.questionExample")} value={question} onChange={setQuestion} maxLength={MAX_QUESTION} error={tooLong ? t("errors.tooLong", { max: MAX_QUESTION }) : undefined} />
          <div>
            <Button type="submit" look="primary" icon={Search} busy={asking.isPending} disabled={!question.trim() || tooLong}>
              {t("knowledge.search")}
            </Button>
          </div>
        </form>
      ) : (
        <p className="text-ink-soft">{t("knowledge.notReady")}</p>
      )}
      <div aria-live="polite" className="grid gap-3 empty:-mt-5">
        {ready && notReady(asking.error) && <p>{t("knowledge.notReady")}</p>}
        {ready && asking.data && <Found answer={asking.data} />}
      </div>
    </Section>
  );
}

function notReady(error: unknown): boolean {
  return error instanceof Problem && error.status === 409;
}

function Found({ answer }: { answer: SearchAnswer }) {
  const { t } = useTranslation();
  const { number } = useFormats();
  if (answer.items.length === 0)
    return (
      <Notice tone="warn" icon={SearchX} title={t("knowledge.nothingFound")}>
        {t("knowledge.nothingFoundHint")}
      </Notice>
    );
  const best = Math.max(...answer.items.map((item) => item.score));
  return (
    <>
      <p className="numbers text-sm text-ink-soft">
        {t("knowledge.found", { count: answer.items.length, ms: number(Math.max(1, Math.round(answer.took_ms))) })} {answer.items.length > 1 && t("knowledge.scoreHint")}
      </p>
      <ol className="grid gap-3">
        {answer.items.map((item, index) => (
          <PassageCard key={index} passage={item} share={best > 0 ? item.score / best : 0} />
        ))}
      </ol>
    </>
  );
}

function PassageCard({ passage, share }: { passage: FoundPassage; share: number }) {
  const { t, i18n } = useTranslation();
  const score = new Intl.NumberFormat(i18n.language, { maximumSignificantDigits: 3 }).format(passage.score);
  return (
    <li className="grid gap-2 rounded-control bg-surface p-3 ring-1 ring-line">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <p className="min-w-0 font-semibold break-all">{passage.document}</p>
        <p className="numbers flex items-center gap-2 text-sm text-ink-soft">
          <span aria-hidden className="h-1.5 w-14 overflow-hidden rounded-full bg-sunken">
            <span className="block h-full rounded-full bg-brand" style={{ width: `${Math.round(Math.max(0, share) * 100)}%` }} />
          </span>
          {t("knowledge.score", { score })}
        </p>
      </div>
      {passage.position && <p className="text-sm text-ink-soft">{positionText(t, passage.position)}</p>}
      <p className="max-h-60 overflow-y-auto text-sm break-words whitespace-pre-line">{passage.text}</p>
    </li>
  );
}
