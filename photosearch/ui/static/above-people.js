// What stands above the people in Browse: whether faces are looked for, and a question about two of them.

import { FaceSwitch } from "./face-switch.js";
import { make, say } from "./dom.js";
import { SamePerson } from "./same-person.js";

export class AbovePeople {
  // `changed` is called when there may be other people than before.
  constructor(changed) {
    this.faces = new FaceSwitch(changed);
    this.same = new SamePerson(changed);
    this.finding = make("details", { class: "card finding", hidden: true }, make("summary", {}, say("library.faces"), this.faces.state), this.faces.element);
    this.element = make("div", {}, this.finding, this.same.element);
  }

  hide() {
    this.finding.hidden = true;
    this.same.element.hidden = true;
  }

  // Whether there is a switch for faces here.
  get offered() {
    return !this.finding.hidden;
  }

  // As long as `wanted` says that it is.
  async show(wanted) {
    const now = await this.faces.refresh().catch(() => null);
    if (!now || !wanted()) return;
    this.finding.hidden = !now.allowed;
    this.finding.open ||= !now.on && !now.seen;
    if (now.seen) this.same.ask();
  }

  // Whether faces were found that may be told of.
  async knowsFaces() {
    const now = await this.faces.refresh().catch(() => null);
    return Boolean(now?.allowed && now.found);
  }
}
