import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Field } from "@/ui/Field";
import { countryNames, countryOf, split, toE164 } from "./numbers";

interface PhoneInputProps {
  label: string;
  hint?: string;
  error?: string;
  /** E.164, or empty. */
  value: string;
  onChange: (value: string) => void;
  onBlur?: () => void;
  /** ISO 3166 code offered first. */
  country: string;
  disabled?: boolean;
  hideLabel?: boolean;
}

/** A country and a national number (or an international one as it is), read as E.164. */
export function PhoneInput({ label, hint, error, value, onChange, onBlur, country: first, disabled, hideLabel }: PhoneInputProps) {
  const { t, i18n } = useTranslation();
  const names = useMemo(() => countryNames(i18n.language), [i18n.language]);
  const [typed, setTyped] = useState(() => split(value, first));
  const [told, setTold] = useState(value);
  if (value !== told) {
    setTold(value);
    setTyped(split(value, first));
  }

  function tell(country: string, national: string) {
    const phone = toE164(national, country) ?? national;
    const next = phone.startsWith("+") && national.trim().startsWith("+") ? split(phone, country) : { country, national };
    setTyped({ ...next, national });
    setTold(phone);
    onChange(phone);
  }

  const example = countryOf(typed.country)?.example;
  const read = toE164(typed.national, typed.country);
  return (
    <Field label={label} hint={hint ?? (read ? t("phone.readAs", { phone: read }) : example ? t("phone.example", { example }) : undefined)} error={error} hideLabel={hideLabel}>
      {(parts) => (
        <div className="grid grid-cols-[minmax(6.5rem,38%)_1fr] gap-2">
          <select aria-label={t("phone.country")} className="control truncate" value={typed.country} disabled={disabled} onChange={(event) => tell(event.target.value, typed.national)}>
            {names.map(({ code, name, callingCode }) => (
              <option key={code} value={code}>
                {`${name} (+${callingCode})`}
              </option>
            ))}
          </select>
          <input {...parts} type="tel" autoComplete="off" className="control numbers" value={typed.national} disabled={disabled} onChange={(event) => tell(typed.country, event.target.value)} onBlur={onBlur} />
        </div>
      )}
    </Field>
  );
}
