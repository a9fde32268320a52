/** A document that is being edited: its values by place, what is wrong with them, and how to change one. */
import { createContext, useCallback, useContext, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { z } from "zod";
import { formatPath, getAt, type Segment } from "./paths";
import { serverWords } from "@/i18n/serverWords";
import { problemsOf, serverProblems, type FieldProblem } from "./problems";

export interface FormValue {
  value: unknown;
  base: readonly Segment[];
  readOnly: boolean;
  set: (path: readonly Segment[], next: unknown) => void;
  touch: (path: readonly Segment[]) => void;
  /** What is to be shown at a place. */
  problemAt: (path: string) => FieldProblem | undefined;
}

export const FormContext = createContext<FormValue>({
  value: {},
  base: [],
  readOnly: true,
  set: () => {},
  touch: () => {},
  problemAt: () => undefined,
});

export interface FormField<T> {
  value: T;
  set: (next: T) => void;
  touch: () => void;
  error: string | undefined;
  readOnly: boolean;
  /** The place in the whole document. */
  path: readonly Segment[];
}

export function useField<T>(...at: Segment[]): FormField<T> {
  const form = useContext(FormContext);
  const { t } = useTranslation();
  const path = [...form.base, ...at];
  const problem = form.problemAt(formatPath(path));
  return {
    value: getAt(form.value, path) as T,
    set: (next) => form.set(path, next),
    touch: () => form.touch(path),
    error: problem && (problem.words ? serverWords(t, problem.key) : t(problem.key, problem.values)),
    readOnly: form.readOnly,
    path,
  };
}

export interface DocumentForm {
  context: FormValue;
  /** Everything that is wrong, shown or not. */
  problems: readonly FieldProblem[];
  /** What is wrong and to be shown. */
  shown: readonly FieldProblem[];
  valid: boolean;
  reveal: () => void;
  refused: (errors: readonly { path: string; message: string }[]) => void;
  reset: () => void;
}

/**
 * Checks a document as it is edited. A problem is shown once its value was touched, or all of them after a save was tried;
 * what the server refused is shown until that value changes.
 */
export function useDocumentForm<T>(schema: z.ZodType, value: T, change: (path: readonly Segment[], next: unknown) => void, readOnly = false): DocumentForm {
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [revealed, setRevealed] = useState(false);
  const [fromServer, setFromServer] = useState<readonly FieldProblem[]>([]);
  const own = useMemo(() => problemsOf(schema, value), [schema, value]);

  const touch = useCallback((path: readonly Segment[]) => {
    setTouched((all) => (all.has(formatPath(path)) ? all : new Set(all).add(formatPath(path))));
  }, []);
  const set = useCallback(
    (path: readonly Segment[], next: unknown) => {
      const place = formatPath(path);
      setFromServer((all) => (all.length ? all.filter((problem) => !touches(problem.path, place)) : all));
      change(path, next);
    },
    [change],
  );
  const problems = useMemo(() => [...fromServer, ...own], [fromServer, own]);
  const shown = useMemo(() => [...fromServer, ...own.filter((problem) => revealed || touched.has(problem.path))], [fromServer, own, revealed, touched]);
  const context = useMemo(() => {
    const byPath = new Map([...shown].reverse().map((problem) => [problem.path, problem]));
    return { value, base: [], readOnly, set, touch, problemAt: (path: string) => byPath.get(path) };
  }, [shown, value, readOnly, set, touch]);

  return {
    context,
    problems,
    shown,
    valid: own.length === 0,
    reveal: useCallback(() => setRevealed(true), []),
    refused: useCallback((errors) => setFromServer(serverProblems(errors)), []),
    reset: useCallback(() => {
      setFromServer([]);
      setTouched(new Set());
      setRevealed(false);
    }, []),
  };
}

function touches(problem: string, changed: string): boolean {
  return problem === changed || problem.startsWith(`${changed}.`) || problem.startsWith(`${changed}[`) || changed.startsWith(`${problem}.`) || changed.startsWith(`${problem}[`);
}
