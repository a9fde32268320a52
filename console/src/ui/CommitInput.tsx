import { useState, type ReactNode } from "react";
import { TextInput } from "./Inputs";
import { useUnloadGuard } from "./useUnloadGuard";

interface CommitInputProps {
  label: string;
  hint?: ReactNode;
  error?: string;
  value: string;
  maxLength?: number;
  disabled?: boolean;
  mono?: boolean;
  /** Called when the person leaves the control, with what was typed, which stays there as it is when this answers false. */
  onCommit: (value: string) => unknown;
}

/** A text that counts when it is left or Enter is pressed, not at every key: for names that other parts refer to. */
export function CommitInput({ value, onCommit, ...rest }: CommitInputProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const changed = typed !== null && typed.trim() !== value;
  useUnloadGuard(changed);

  function commit() {
    if (changed && onCommit(typed.trim()) === false) return;
    setTyped(null);
  }

  return (
    <TextInput
      {...rest}
      required
      value={typed ?? value}
      onChange={setTyped}
      onBlur={commit}
      onKeyDown={(event) => {
        // also before the keys that save, so that what was just typed is saved with the rest
        if (event.key === "Enter" || ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s")) commit();
      }}
    />
  );
}
