import { Plus } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { MAX_DESTINATION_DESCRIPTION, MAX_DESTINATIONS } from "@/agent/limits";
import type { Destination } from "@/agent/schema";
import { useAgentEditor } from "@/agents/editor";
import { PhoneInput } from "@/phone/PhoneInput";
import { countryOfLanguage } from "@/phone/numbers";
import { Button } from "@/ui/Button";
import { SelectInput, TextInput } from "@/ui/Inputs";
import { useUnloadGuard } from "@/ui/useUnloadGuard";

interface AddDestinationProps {
  /** Whether PBX extensions can be added too. */
  extensions: boolean;
  known: readonly Destination[];
  onAdd: (destination: Destination) => void;
}

/** A number by hand: its country, the number, and what tells it from the others. */
export function AddDestination({ extensions, known, onAdd }: AddDestinationProps) {
  const { t } = useTranslation();
  const { draft } = useAgentEditor();
  const [kind, setKind] = useState("phone");
  const [address, setAddress] = useState("");
  const [description, setDescription] = useState("");
  const [error, setError] = useState<string>();
  useUnloadGuard(address !== "" || description !== "");
  const byPhone = !extensions || kind === "phone";

  function add(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    event.stopPropagation();
    const wrong = byPhone ? !/^\+[1-9]\d{4,14}$/.test(address) : !/^[0-9A-Za-z*#._-]{1,32}$/.test(address);
    if (wrong) return setError(t(byPhone ? "errors.phone" : "errors.extension"));
    if (known.some((item) => (item.phone ?? item.extension) === address)) return setError(t("errors.duplicateDestination"));
    onAdd({ phone: byPhone ? address : null, extension: byPhone ? null : address, description: description.trim() });
    setAddress("");
    setDescription("");
    setError(undefined);
  }

  return (
    <form noValidate onSubmit={add} className="grid gap-4 rounded-control bg-surface p-4 ring-1 ring-line">
      <p className="text-sm font-semibold">{t("transfer.manual")}</p>
      <div className="grid items-start gap-4 md:grid-cols-2">
        <div className={extensions ? "grid gap-4 sm:grid-cols-[9rem_1fr]" : ""}>
          {extensions && (
            <SelectInput
              label={t("transfer.addressKind")}
              value={kind}
              onChange={(value) => {
                setKind(value);
                setAddress("");
                setError(undefined);
              }}
              choices={[
                { value: "phone", label: t("fields.phone") },
                { value: "extension", label: t("fields.extension") },
              ]}
            />
          )}
          {byPhone ? (
            <PhoneInput label={t("fields.phone")} value={address} onChange={setAddress} error={error} country={countryOfLanguage(draft.language)} />
          ) : (
            <TextInput label={t("fields.extension")} hint={t("transfer.extensionHint")} value={address} onChange={setAddress} error={error} maxLength={32} />
          )}
        </div>
        <TextInput label={t("fields.description")} hint={t("transfer.descriptionHint")} value={description} onChange={setDescription} maxLength={MAX_DESTINATION_DESCRIPTION} placeholder={t("transfer.descriptionPlaceholder")} />
      </div>
      <div>
        <Button type="submit" icon={Plus} disabled={!address || known.length >= MAX_DESTINATIONS}>
          {t("transfer.addNumber")}
        </Button>
      </div>
    </form>
  );
}
