import { Laptop } from "lucide-react";
import { useTranslation } from "react-i18next";

/** A call that somebody tries the agent with, from a page. */
export function FromBrowser() {
  const { t } = useTranslation();
  return (
    <span className="inline-flex items-center gap-1 text-sm whitespace-nowrap text-ink-soft">
      <Laptop aria-hidden className="size-3.5" /> {t("calls.fromBrowser")}
    </span>
  );
}
