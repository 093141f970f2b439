// Dialogs that ask for one thing: a folder, or a name.

import { fill, icon, make, say, tell } from "./dom.js";
import { ask } from "./requests.js";
import { Turns } from "./turns.js";

// People who are proposed as the one that is asked for.
const PROPOSED = 8;

// Lets the user walk through the folders of the machine; resolves with the chosen one or null. On the
// desktop the system's own dialog does it.
export async function chooseFolder(title = say("folder.title"), from = "") {
  const native = await ask("/api/choose-folder", { body: {} });
  if (native.native) return native.folder;
  return new Promise((resolve) => browse(title, from, resolve));
}

async function browse(title, from, resolve) {
  const list = make("ul", { class: "folders", tabindex: "0", "aria-label": say("folder.inside") });
  const here = make("p", { class: "here", role: "status" });
  const places = make("div", { class: "places" });
  const up = make("button", { type: "button", class: "plain" }, icon("up"), say("folder.up"));
  let chosen = null;
  const dialog = make(
    "dialog",
    { class: "chooser", "aria-labelledby": "chooser-title" },
    make("h2", { id: "chooser-title" }, title),
    places,
    make("div", { class: "line" }, up, here),
    list,
    make(
      "div",
      { class: "line end" },
      make("button", { type: "button", class: "plain", onclick: () => dialog.close() }, say("cancel")),
      make(
        "button",
        {
          type: "button",
          class: "primary",
          onclick: () => {
            chosen = here.textContent;
            dialog.close();
          },
        },
        say("folder.choose"),
      ),
    ),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(chosen);
  });
  const turns = new Turns(list);
  const go = (path) =>
    turns.take(path, () => ask(`/api/folders?path=${encodeURIComponent(path)}`), show).catch((error) => tell(error.message));
  const show = (content) => {
    here.textContent = content.path;
    up.disabled = content.parent === null;
    up.onclick = () => go(content.parent);
    const entry = (folder) =>
      make("button", { type: "button", class: "plain", onclick: () => go(folder.path) }, icon("folder"), folder.name);
    fill(places, ...content.suggestions.map(entry));
    const found = content.folders.map((folder) => make("li", {}, entry(folder)));
    fill(list, ...(found.length ? found : [make("li", { class: "quiet" }, say("folder.none"))]));
  };
  document.body.append(dialog);
  dialog.showModal();
  await go(from);
  if (!here.textContent) await go("");
}

// Asks for a text, typed or one of `options`; resolves with it or null. `known` are texts that the
// browser proposes for what is typed.
export function choose({ title, label, button, options = [], value = "", known = [] }) {
  return new Promise((resolve) => {
    let chosen = null;
    const input = make("input", { class: "field", id: "chosen-text", type: "text", value, maxlength: 120, autocomplete: "off", list: known.length ? "known-texts" : null });
    const end = (text) => {
      chosen = text.trim() || null;
      dialog.close();
    };
    const dialog = make(
      "dialog",
      { class: "chooser small", "aria-labelledby": "choose-title" },
      make("h2", { id: "choose-title" }, title),
      make(
        "div",
        { class: "places" },
        options.map((option) =>
          make("button", { type: "button", class: "plain", onclick: () => end(option.value) }, option.text),
        ),
      ),
      make(
        "form",
        {
          class: "folder-form",
          onsubmit: (event) => {
            event.preventDefault();
            end(input.value);
          },
        },
        make("label", { for: "chosen-text" }, label),
        make(
          "div",
          { class: "line" },
          input,
          known.length ? make("datalist", { id: "known-texts" }, known.map((text) => make("option", { value: text }))) : null,
          make("button", { type: "submit", class: "primary" }, button),
          make("button", { type: "button", class: "plain", onclick: () => dialog.close() }, say("cancel")),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(chosen);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

// Asks for somebody: `names` are those there are, of whom the first are proposed.
export function choosePerson({ title, button, names }) {
  const options = names.slice(0, PROPOSED).map((name) => ({ value: name, text: name }));
  return choose({ title, label: say("people.name"), button, options, known: names });
}

// Asks whose a face is.
export const askWho = (names) => choosePerson({ title: say("faces.who"), button: say("faces.name"), names });

// Asks whether to go on; resolves with true or false.
export const confirm = (question, button) => accept({ title: question, button });

// The same, with more to say, and something that has to be ticked before.
export function accept({ title, text = [], label = null, button }) {
  return new Promise((resolve) => {
    let sure = false;
    const tick = make("input", { type: "checkbox", id: "accepted", onchange: () => (go.disabled = !tick.checked) });
    const go = make(
      "button",
      {
        type: "button",
        class: "primary",
        disabled: Boolean(label),
        onclick: () => {
          sure = true;
          dialog.close();
        },
      },
      button,
    );
    const dialog = make(
      "dialog",
      { class: "chooser small", "aria-labelledby": "confirm-title" },
      make("h2", { id: "confirm-title" }, title),
      text.map((part) => make("p", { class: "path" }, part)),
      label ? make("label", { class: "check", for: "accepted" }, tick, label) : null,
      make(
        "div",
        { class: "line end" },
        make("button", { type: "button", class: "plain", onclick: () => dialog.close() }, say("cancel")),
        go,
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(sure);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
