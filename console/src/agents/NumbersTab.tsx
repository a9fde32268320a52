import { useQuery } from "@tanstack/react-query";
import { Hash, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { agentsQuery, connectionsQuery } from "@/api/queries";
import { SelectField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { PhoneInput } from "@/phone/PhoneInput";
import { countryOfLanguage, spaced } from "@/phone/numbers";
import { Button, IconButton } from "@/ui/Button";
import { FieldError } from "@/ui/Field";
import { EmptyState, Section } from "@/ui/Layouts";
import { useUnloadGuard } from "@/ui/useUnloadGuard";
import { useAgentEditor } from "./editor";

/** Which numbers this agent answers, and the line its own calls leave by. */
export function NumbersTab() {
  const { t } = useTranslation();
  const { id, draft } = useAgentEditor();
  const numbers = useField<string[]>("phone_numbers");
  const agents = useQuery(agentsQuery);
  const connections = useQuery(connectionsQuery);
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<string>();
  useUnloadGuard(typed !== "");
  const outbound = draft.direction === "outbound";

  function holder(number: string) {
    return agents.data?.find((agent) => agent.id !== id && agent.active && agent.phone_numbers.includes(number));
  }

  function add() {
    if (!/^\+[1-9]\d{4,14}$/.test(typed)) return setError(t("errors.phone"));
    if (numbers.value.includes(typed)) return setError(t("errors.duplicateNumber"));
    numbers.set([...numbers.value, typed]);
    setTyped("");
    setError(undefined);
  }

  return (
    <div className="grid gap-6">
      <Section title={t("fields.phone_numbers")} hint={t(outbound ? "numbers.hintOutbound" : "numbers.hint")}>
        {numbers.value.length === 0 ? (
          <EmptyState icon={Hash} title={t("numbers.empty")} hint={t("numbers.emptyHint")} />
        ) : (
          <ul className="divide-y divide-line rounded-control ring-1 ring-line">
            {numbers.value.map((number, index) => (
              <NumberRow key={number} index={index} number={number} holder={holder(number)?.name} onRemove={() => numbers.set(numbers.value.toSpliced(index, 1))} readOnly={numbers.readOnly} />
            ))}
          </ul>
        )}
        {!numbers.readOnly && (
          <form
            noValidate
            className="grid items-start gap-3 sm:grid-cols-[minmax(0,28rem)_auto]"
            onSubmit={(event) => {
              event.preventDefault();
              add();
            }}
          >
            <PhoneInput label={t("numbers.new")} value={typed} onChange={setTyped} error={error} country={countryOfLanguage(draft.language)} />
            <Button type="submit" icon={Plus} className="justify-self-start sm:mt-6.5" disabled={!typed}>
              {t("ui.add")}
            </Button>
          </form>
        )}
      </Section>
      <Section title={t("numbers.line")} hint={t("numbers.lineHint")}>
        <div className="max-w-md">
          <SelectField at="sip_connection_id" label={t("fields.sip_connection_id")} nullable empty={t("numbers.defaultLine")} choices={(connections.data ?? []).map((item) => ({ value: item.id, label: item.document.name }))} />
        </div>
      </Section>
    </div>
  );
}

function NumberRow({ index, number, holder, onRemove, readOnly }: { index: number; number: string; holder: string | undefined; onRemove: () => void; readOnly: boolean }) {
  const { t } = useTranslation();
  const { error } = useField<string>("phone_numbers", index);
  return (
    <li className="flex flex-wrap items-center gap-x-4 px-3 py-1.5">
      <span className="numbers flex-1 font-semibold">{spaced(number)}</span>
      <IconButton icon={Trash2} label={t("numbers.remove", { number: spaced(number) })} disabled={readOnly} onClick={onRemove} />
      {(error ?? holder) && <div className="w-full pb-1.5"><FieldError text={error ?? t("numbers.taken", { name: holder })} /></div>}
    </li>
  );
}
