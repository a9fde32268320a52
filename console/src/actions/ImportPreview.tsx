import { CircleAlert, CircleCheck, Copy } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { serverWords } from "@/i18n/serverWords";
import { spaced } from "@/phone/numbers";
import { Button } from "@/ui/Button";
import type { Imported } from "./imported";

const SHOWN = 200;
const OUTCOMES = ["accepted", "duplicate", "refused"] as const;
const LOOKS = {
  accepted: { icon: CircleCheck, ink: "text-live" },
  duplicate: { icon: Copy, ink: "text-amber-ink" },
  refused: { icon: CircleAlert, ink: "text-alarm" },
};

/** Every row of the file and what becomes of it; refused rows first to be looked at. */
export function ImportPreview({ result }: { result: Imported }) {
  const { t } = useTranslation();
  const [only, setOnly] = useState<(typeof OUTCOMES)[number] | null>(null);
  const [shown, setShown] = useState(SHOWN);
  const rows = only ? result.rows.filter((row) => row.outcome === only) : result.rows;
  return (
    <section aria-label={t("import.preview")} className="grid gap-3">
      <div className="flex flex-wrap gap-2">
        {OUTCOMES.map((outcome) => (
          <Button key={outcome} small aria-pressed={only === outcome} look={only === outcome ? "primary" : "plain"} icon={LOOKS[outcome].icon} onClick={() => setOnly(only === outcome ? null : outcome)}>
            {t(`import.${outcome}`, { count: result[outcome] })}
          </Button>
        ))}
      </div>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable with keys */}
      <div tabIndex={0} className="max-h-80 overflow-auto rounded-control bg-raised ring-1 ring-line" role="region" aria-label={t("import.rows")}>
        <table className="w-full min-w-[34rem] text-left text-sm">
          <thead className="sticky top-0 bg-sunken">
            <tr>
              {(["line", "value", "read", "description", "outcome"] as const).map((key) => (
                <th key={key} scope="col" className="px-3 py-2 font-semibold">
                  {key === "description" ? t("fields.description") : t(`import.table.${key}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown).map((row) => {
              const { icon: Icon, ink } = LOOKS[row.outcome];
              return (
                <tr key={row.line} className="border-t border-line align-top">
                  <td className="numbers px-3 py-2 text-ink-soft">{row.line}</td>
                  <td className="max-w-44 px-3 py-2 break-words">{row.value}</td>
                  <td className="numbers px-3 py-2 whitespace-nowrap">{row.phone ? spaced(row.phone) : ""}</td>
                  <td className="px-3 py-2">{row.description}</td>
                  <td className={`px-3 py-2 ${ink}`}>
                    <span className="flex items-start gap-1.5">
                      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
                      <span>
                        <span className="font-semibold">{t(`import.outcome.${row.outcome}`)}</span>
                        {(row.reason || row.known) && <span className="block text-ink-soft">{row.known ? t("import.known") : serverWords(t, row.reason)}</span>}
                      </span>
                    </span>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {rows.length > shown && (
        <div>
          <Button small onClick={() => setShown(shown + SHOWN * 5)}>
            {t("import.more", { count: rows.length - shown })}
          </Button>
        </div>
      )}
    </section>
  );
}
