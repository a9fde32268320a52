import type { FieldProblem } from "@/form/problems";

/** How many values are wrong in each step, by its place in the list. */
export function problemsByStep(problems: readonly FieldProblem[]): ReadonlyMap<number, FieldProblem[]> {
  const found = new Map<number, FieldProblem[]>();
  for (const problem of problems) {
    const index = /^path\.steps\[(\d+)\]/.exec(problem.path)?.[1];
    if (index !== undefined) found.set(Number(index), [...(found.get(Number(index)) ?? []), problem]);
  }
  return found;
}
