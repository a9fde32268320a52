import { Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { MAX_DESTINATION_DESCRIPTION } from "@/agent/limits";
import type { Destination } from "@/agent/schema";
import { TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { spaced } from "@/phone/numbers";
import { IconButton } from "@/ui/Button";
import { FieldError } from "@/ui/Field";

/** One destination: its number is fixed, its description can be changed in place. */
export function DestinationRow({ index, destination, onRemove }: { index: number; destination: Destination; onRemove: () => void }) {
  const { t } = useTranslation();
  const phone = useField<string | null>("destinations", index, "phone");
  const extension = useField<string | null>("destinations", index, "extension");
  const error = phone.error ?? extension.error;
  const shown = destination.phone ? spaced(destination.phone) : t("transfer.extensionShown", { extension: destination.extension });
  return (
    <li className="grid grid-cols-[1fr_auto] items-center gap-x-3 gap-y-1 px-3 py-2 sm:grid-cols-[13rem_1fr_auto]">
      <span className="numbers font-semibold">{shown}</span>
      <div className="col-span-2 row-start-2 sm:col-span-1 sm:row-start-auto">
        <TextField at={["destinations", index, "description"]} label={t("transfer.descriptionOf", { number: shown })} hideLabel maxLength={MAX_DESTINATION_DESCRIPTION} placeholder={t("transfer.descriptionPlaceholder")} />
      </div>
      <IconButton icon={Trash2} label={t("transfer.remove", { number: shown })} disabled={phone.readOnly} onClick={onRemove} />
      {error && (
        <div className="col-span-full">
          <FieldError text={error} />
        </div>
      )}
    </li>
  );
}
