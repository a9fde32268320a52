/** A person without a mouse: what has the focus, as a screen reader says it, and how to get to something with keys alone. */
import type { Page } from "playwright-core";

const FURTHEST = 160;

export class Keys {
  /** What took the focus without showing it, or out of sight. */
  readonly unseen = new Set<string>();

  constructor(readonly page: Page) {}

  /** Role and name of what has the focus: `button "Enregistrer"`. */
  async focused(): Promise<string> {
    const here = this.page.locator("*:focus");
    if ((await here.count()) === 0) return "nothing";
    const [, said = ""] = /^- '?(\w+(?: "(?:[^"\\]|\\.)*")?)/.exec(await here.first().ariaSnapshot()) ?? [];
    if (!(await this.seen())) this.unseen.add(said);
    return said;
  }

  /** Press a key until what is wanted has the focus. `wanted` begins with its role: `button "Ajouter`. */
  async to(wanted: string | RegExp, key = "Tab"): Promise<void> {
    const stops: string[] = [];
    const right = (said: string) => (typeof wanted === "string" ? said === wanted : wanted.test(said));
    if (key.startsWith("Arrow") && right(await this.focused())) return;
    while (stops.length < FURTHEST) {
      await this.page.keyboard.press(key);
      const said = await this.focused();
      if (right(said)) return;
      stops.push(said);
    }
    throw new Error(`${key} never gets to ${String(wanted)}. It goes: ${[...new Set(stops)].join(" → ")}`);
  }

  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.press("Control+A");
    await this.page.keyboard.type(text);
  }

  /** Whether the focus is marked and at least a part of what has it is on the screen, under nothing else. */
  private seen(): Promise<boolean> {
    return this.page.evaluate(() => {
      const node = document.activeElement;
      if (!node || node === document.body || node.id === "content") return true;
      const label = node.closest("label");
      const marked = [node, label].some((item) => item && getComputedStyle(item).outlineStyle !== "none" && parseFloat(getComputedStyle(item).outlineWidth) > 0);
      const held = node.matches('[role="menuitem"], [role="menu"], [role="dialog"]');
      const box = (label && node.getBoundingClientRect().width < 3 ? label : node).getBoundingClientRect();
      const points = [0.5, 0.05, 0.95].flatMap((x) => [0.5, 0.1, 0.9].map((y) => [box.left + box.width * x, box.top + box.height * y] as const));
      const shown = points.some(([x, y]) => {
        const top = document.elementFromPoint(x, y);
        return top !== null && (node.contains(top) || top.contains(node) || label?.contains(top));
      });
      return (marked || held) && shown;
    });
  }
}
