import { useState, type ReactNode } from "react";
import { TextInput } from "./Inputs";

interface CommitInputProps {
  label: string;
  hint?: ReactNode;
  error?: string;
  value: string;
  maxLength?: number;
  disabled?: boolean;
  mono?: boolean;
  /** Called when the person leaves the control, with what was typed. */
  onCommit: (value: string) => void;
}

/** A text that counts when it is left, not at every key: for names that other parts refer to. */
export function CommitInput({ value, onCommit, ...rest }: CommitInputProps) {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <TextInput
      {...rest}
      required
      value={typed ?? value}
      onChange={setTyped}
      onBlur={() => {
        if (typed !== null && typed !== value) onCommit(typed.trim());
        setTyped(null);
      }}
    />
  );
}
