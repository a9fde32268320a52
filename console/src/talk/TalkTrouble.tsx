import { CircleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Problem, Unreachable } from "@/api/problem";
import { serverWords } from "@/i18n/serverWords";
import { Notice } from "@/ui/Layouts";

/** Why a conversation could not begin or go on, and what to do. */
export function TalkTrouble({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (error instanceof Unreachable)
    return (
      <Notice tone="alarm" icon={CircleAlert} title={t("errors.unreachableServer")}>
        {t("errors.unreachableHint")}
      </Notice>
    );
  if (!(error instanceof Problem))
    return (
      <Notice tone="alarm" icon={CircleAlert} title={t("talk.noLine")}>
        {t("talk.noLineHint")}
      </Notice>
    );
  const { detail, hint, errors } = error.body;
  return (
    <Notice tone="alarm" icon={CircleAlert} title={serverWords(t, detail)}>
      {hint && <p>{hint}</p>}
      {errors && (
        <ul className="list-disc pl-5">
          {errors.map(({ path, message }) => (
            <li key={path + message} className="break-words">
              <code className="text-xs">{path}</code> {serverWords(t, message)}
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}
