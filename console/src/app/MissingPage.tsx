import { Signpost } from "lucide-react";
import { Link } from "react-router";
import { useTranslation } from "react-i18next";
import { EmptyState } from "@/ui/Layouts";

export function MissingPage() {
  const { t } = useTranslation();
  return (
    <EmptyState icon={Signpost} title={t("errors.missing")} hint={t("errors.missingHint")}>
      <Link to="/agents" className="font-semibold text-brand-strong underline">
        {t("nav.agents")}
      </Link>
    </EmptyState>
  );
}
