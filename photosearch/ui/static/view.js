// What somebody looks at in a list, while the list changes.

export class View {
  // Notes which of the tiles in `body` is the first in sight, and which has the focus.
  constructor(body) {
    this.focused = body.contains(document.activeElement) ? document.activeElement : null;
    this.first = null;
    // At the very top one wants to see what comes.
    if (!scrollY || !body.checkVisibility()) return;
    this.first = [...body.querySelectorAll("li")].find((tile) => tile.getBoundingClientRect().bottom > 0);
    this.top = this.first?.getBoundingClientRect().top;
  }

  // Brings both back, unless they are gone.
  restore() {
    if (this.first?.isConnected) scrollBy({ top: this.first.getBoundingClientRect().top - this.top, behavior: "instant" });
    if (this.focused?.isConnected) this.focused.focus({ preventScroll: true });
  }
}
