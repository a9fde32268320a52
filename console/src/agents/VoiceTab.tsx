import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { blankProvider, blankSpeech } from "@/agent/blank";
import { MAX_PROVIDERS, VOICE_SPEED } from "@/agent/limits";
import type { Provider } from "@/agent/schema";
import { FormScope, NumberField, SecretField, SelectField, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { Button, IconButton } from "@/ui/Button";
import { TextInput } from "@/ui/Inputs";
import { Section } from "@/ui/Layouts";

const SERVICES = ["tts", "stt", "llm"] as const;
type Service = (typeof SERVICES)[number];
const TYPES: Record<Service, readonly string[]> = {
  tts: ["embedded", "openai", "elevenlabs", "deepgram", "mistral"],
  stt: ["embedded", "openai", "deepgram", "elevenlabs", "mistral"],
  llm: ["embedded", "openai", "mistral"],
};

/** Who speaks, who listens and who thinks; for each, who takes over when it fails. */
export function VoiceTab() {
  const { t } = useTranslation();
  return (
    <div className="grid gap-6">
      {SERVICES.map((service) => (
        <Section key={service} title={t(`fields.${service}`)} hint={t(`voice.${service}Hint`)}>
          <ProviderList service={service} />
        </Section>
      ))}
      <Section title={t("fields.pronunciations")} hint={t("voice.pronunciationsHint")}>
        <Pronunciations />
      </Section>
    </div>
  );
}

function ProviderList({ service }: { service: Service }) {
  const { t } = useTranslation();
  const list = useField<Provider[]>("providers", service);
  return (
    <>
      {list.value.map((provider, index) => (
        <FormScope key={index} at={["providers", service, index]}>
          <div className="grid gap-4 rounded-control bg-surface p-4 ring-1 ring-line">
            <div className="flex items-center justify-between">
              <p className="eyebrow">{index === 0 ? t("voice.first") : t("voice.fallback", { number: index })}</p>
              {list.value.length > 1 && <IconButton icon={Trash2} label={t("voice.remove", { number: index + 1 })} disabled={list.readOnly} onClick={() => list.set(list.value.toSpliced(index, 1))} />}
            </div>
            <div className="grid gap-4 md:grid-cols-2">
              <SelectField at="type" label={t("voice.provider")} choices={TYPES[service].map((value) => ({ value, label: t([`providers.${value}`, value]) }))} hint={provider.type === "embedded" ? t("voice.embeddedHint") : undefined} />
              {provider.type !== "embedded" && <TextField at="model" label={t("fields.model")} nullable hint={t("voice.modelHint")} />}
              {service === "tts" && <TextField at={["voice", "id"]} label={t("fields.voice")} nullable hint={t("voice.voiceHint")} />}
              {service === "tts" && <NumberField at={["voice", "speed"]} label={t("fields.speed")} range={VOICE_SPEED} step={0.1} />}
              {provider.type !== "embedded" && <SecretField at="api_key" label={t("fields.api_key")} hint={t("voice.keyHint")} />}
              {provider.type !== "embedded" && <TextField at="base_url" label={t("fields.base_url")} nullable hint={t("voice.urlHint")} type="url" />}
            </div>
          </div>
        </FormScope>
      ))}
      <div>
        <Button small icon={Plus} disabled={list.readOnly || list.value.length >= MAX_PROVIDERS} onClick={() => list.set([...list.value, service === "tts" ? blankSpeech() : blankProvider()])}>
          {t("voice.add")}
        </Button>
      </div>
    </>
  );
}

type Said = string | Record<string, string>;

/** Words and how they are to be said; those that differ by language are kept as they are. */
function Pronunciations() {
  const { t } = useTranslation();
  const field = useField<Record<string, Said>>("pronunciations");
  const [word, setWord] = useState("");
  const [said, setSaid] = useState("");
  const rows = Object.entries(field.value);
  return (
    <>
      {rows.length > 0 && (
        <ul className="divide-y divide-line rounded-control ring-1 ring-line">
          {rows.map(([key, value]) => (
            <li key={key} className="flex items-center gap-3 px-3 py-1.5">
              <span className="w-2/5 font-semibold break-words">{key}</span>
              <span className="flex-1 break-words text-ink-soft">{typeof value === "string" ? value : Object.entries(value).map(([language, text]) => `${text} (${language})`).join(", ")}</span>
              <IconButton icon={Trash2} label={t("voice.removeWord", { word: key })} disabled={field.readOnly} onClick={() => field.set(Object.fromEntries(rows.filter(([other]) => other !== key)))} />
            </li>
          ))}
        </ul>
      )}
      {!field.readOnly && (
        <div className="grid items-end gap-3 sm:grid-cols-[1fr_1.5fr_auto]">
          <TextInput label={t("voice.word")} value={word} onChange={setWord} maxLength={100} placeholder="kg" />
          <TextInput label={t("voice.said")} value={said} onChange={setSaid} placeholder="kilogrammes" />
          <Button
            icon={Plus}
            disabled={!word.trim() || !said.trim()}
            onClick={() => {
              field.set({ ...field.value, [word.trim()]: said.trim() });
              setWord("");
              setSaid("");
            }}
          >
            {t("ui.add")}
          </Button>
        </div>
      )}
    </>
  );
}
