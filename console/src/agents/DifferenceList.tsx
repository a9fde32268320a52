import { ArrowRight } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Difference } from "@/agent/differences";
import type { Translate } from "@/i18n";
import { Button } from "@/ui/Button";

const SHOWN_CHARACTERS = 400;
/** Of thousands, after a file was imported, a page can only show the first. */
const SHOWN_ITEMS = 100;

/** Differences as sentences: where, what it was, what it is. */
export function DifferenceList({ items, before, after }: { items: readonly Difference[]; before: string; after: string }) {
  const { t } = useTranslation();
  const [shownCount, setShownCount] = useState(SHOWN_ITEMS);
  return (
    <>
      <ul className="grid gap-3">
        {items.slice(0, shownCount).map((item) => {
          const place = item.place.map((part) => (part.kind === "key" ? t([`fields.${part.text}`, part.text]) : part.text));
          return (
            <li key={place.join(" › ")} className="grid gap-2 rounded-control bg-raised p-3 ring-1 ring-line">
              <p className="text-sm font-semibold">{place.join(" › ")}</p>
              <div className="grid items-center gap-2 text-sm sm:grid-cols-[1fr_auto_1fr]">
                <Side label={before} text={shown(t, item.before)} tone="bg-alarm-wash" />
                <ArrowRight aria-hidden className="hidden size-4 text-ink-faint sm:block" />
                <Side label={after} text={shown(t, item.after)} tone="bg-live-wash" />
              </div>
            </li>
          );
        })}
      </ul>
      {items.length > shownCount && (
        <div className="mt-3">
          <Button small onClick={() => setShownCount(shownCount + SHOWN_ITEMS * 5)}>
            {t("differences.more", { count: items.length - shownCount })}
          </Button>
        </div>
      )}
    </>
  );
}

function Side({ label, text, tone }: { label: string; text: string; tone: string }) {
  return (
    <div className={`min-w-0 rounded-control px-2.5 py-1.5 break-words whitespace-pre-line ${tone}`}>
      <span className="sr-only">{`${label}: `}</span>
      {text}
    </div>
  );
}

function shown(t: Translate, value: unknown): string {
  if (value === undefined || value === null || value === "") return t("differences.nothing");
  if (typeof value === "boolean") return t(value ? "ui.yes" : "ui.no");
  if (Array.isArray(value)) return value.length ? value.map((item) => shown(t, item)).join(", ") : t("differences.nothing");
  if (typeof value === "object") {
    const entries = Object.entries(value).filter(([, item]) => item !== null && item !== "" && !(Array.isArray(item) && item.length === 0));
    return cut(entries.map(([key, item]) => `${t([`fields.${key}`, key])}: ${shown(t, item)}`).join("\n"));
  }
  return cut(t([`values.${String(value)}`, String(value)]));
}

function cut(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
