import { useMutation, useQuery } from "@tanstack/react-query";
import { PhoneOutgoing } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { placeCall } from "@/api/calls";
import { Problem } from "@/api/problem";
import { agentsQuery } from "@/api/queries";
import { useMay } from "@/api/session";
import { serverWords } from "@/i18n/serverWords";
import { Button } from "@/ui/Button";
import { SelectInput, TextInput } from "@/ui/Inputs";
import { Section } from "@/ui/Layouts";
import { useShowError } from "@/ui/useToasts";

/** A number without what people write between its digits; an address as it is. */
const dialled = (to: string): string => (/^sips?:/i.test(to.trim()) ? to.trim() : to.replace(/[\s.()-]/g, ""));

/** A real call over this connection, by an agent that is live; its page then tells how it goes. */
export function TestCall({ id, dirty }: { id: string; dirty: boolean }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const showError = useShowError();
  const mayCall = useMay("calls");
  const agents = (useQuery(agentsQuery).data ?? []).filter((agent) => agent.active && agent.live_version !== null);
  const [agent, setAgent] = useState("");
  const [to, setTo] = useState("");
  const [refused, setRefused] = useState<Record<string, string>>({});
  const chosen = agent || (agents[0]?.id ?? "");

  const calling = useMutation({
    mutationFn: () => placeCall({ agent_id: chosen, to: dialled(to), sip_connection_id: id }),
    onSuccess: (call) => void navigate(`/calls/${call.id}`),
    onError: (error) => {
      if (error instanceof Problem && error.body.errors) setRefused(Object.fromEntries(error.body.errors.map(({ path, message }) => [path, serverWords(t, message)])));
      else showError(error);
    },
  });

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    setRefused(to.trim() ? {} : { to: t("errors.required") });
    if (to.trim()) calling.mutate();
  }

  if (!mayCall) return null;
  return (
    <Section title={t("connections.call")} hint={t(dirty ? "connections.callSaved" : "connections.callHint")}>
      {agents.length === 0 ? (
        <p className="text-ink-soft">{t("connections.callNoAgent")}</p>
      ) : (
        <form noValidate onSubmit={submit} className="grid items-start gap-4 sm:grid-cols-[1fr_1fr_auto]">
          <SelectInput label={t("connections.callAgent")} value={chosen} onChange={setAgent} choices={agents.map(({ id: value, name }) => ({ value, label: name }))} error={refused["agent_id"]} />
          <TextInput label={t("connections.callTo")} hint={t("connections.callToHint")} value={to} onChange={setTo} maxLength={300} error={refused["to"] ?? refused["sip_connection_id"]} />
          <Button type="submit" icon={PhoneOutgoing} busy={calling.isPending} className="sm:mt-7">
            {t("connections.callDo")}
          </Button>
        </form>
      )}
    </Section>
  );
}
