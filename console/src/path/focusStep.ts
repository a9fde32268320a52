/** The keyboard goes on in the step that was just made: at its name. */
export function focusStep(): void {
  document.querySelector<HTMLElement>("[data-step] input")?.focus();
}
