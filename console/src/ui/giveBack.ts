/**
 * For `onCloseAutoFocus` of what is shown by state: there is no trigger of Radix's own to go back to, so the focus goes to what had
 * it before, or to the page.
 */
export function giveBack(opener: Element | null): (event: Event) => void {
  return (event) => {
    event.preventDefault();
    const back = opener instanceof HTMLElement && opener.isConnected && opener !== document.body ? opener : document.getElementById("content");
    if (document.activeElement === document.body) back?.focus({ preventScroll: true });
  };
}
