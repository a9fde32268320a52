import { CircleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useRouteError } from "react-router";
import { Button } from "@/ui/Button";
import { EmptyState } from "@/ui/Layouts";

/** A page that failed to show; the rest of the console stays. */
export function ErrorPage() {
  const { t } = useTranslation();
  const error = useRouteError();
  return (
    <EmptyState icon={CircleAlert} title={t("errors.unexpected")} hint={error instanceof Error ? error.message : t("errors.unexpectedHint")}>
      <Button look="primary" onClick={() => location.reload()}>
        {t("ui.reload")}
      </Button>
    </EmptyState>
  );
}
