// Questions to the server, and orders. While it does not answer, the page says so and goes on asking:
// a question waits until it is back, and whoever put it need not know.

import { make, number, say, topmost } from "./dom.js";
import { heard } from "./translations.js";

// Milliseconds until it is asked again.
const AGAIN = 1000;
// What a proxy in between says when the server is away.
const AWAY = [502, 503, 504];

// Tells of "back": the server answers again, perhaps another one than before.
export const server = new EventTarget();

// The JSON at a path of ours. Throws an Error whose message is fit for the user.
export async function ask(path, { body, signal } = {}) {
  const options = { signal };
  if (body instanceof Blob) Object.assign(options, { method: "POST", body });
  else if (body !== undefined) {
    options.method = "POST";
    options.headers = { "content-type": "application/json" };
    options.body = JSON.stringify(body);
  }
  for (;;) {
    const answer = await send(path, options);
    if (answer && !answer.again) return answer.content;
    const back = reconnected(answer?.again);
    // An order is not given twice: it may have been carried out.
    if (body !== undefined && !(body instanceof Blob)) throw new Error(answer?.again ?? say("error.gone"));
    await Promise.race([back, aborted(signal)]);
  }
}

// What comes back, null when nobody answers, or not to the end. With `again` that which is waited for
// first.
async function send(path, options) {
  let answer;
  let content;
  try {
    answer = await fetch(path, options);
    if (AWAY.includes(answer.status) && !isOurs(answer)) return null;
    content = await answer.json().catch((error) => {
      if (error.name === "AbortError" || answer.ok) throw error;
      return {};
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return null;
  }
  if (answer.status === 401) {
    location.reload();
    throw new Error(say("error.session"));
  }
  if (content.again) return { again: progress(content.again) };
  if (!answer.ok) {
    const problem = typeof content.detail === "string" ? content.detail : say("error.other");
    throw Object.assign(new Error(heard(content.error ?? problem)), { status: answer.status });
  }
  return { content };
}

// Of a drive that does not answer the server tells by such a status, too.
const isOurs = (answer) => answer.headers.get("content-type")?.startsWith("application/json");

const aborted = (signal) => new Promise((done) => signal?.addEventListener("abort", done));

let waiting = null;

// Resolves when the server answers again; until then the page says that it does not, or what it is
// `doing` first.
function reconnected(doing) {
  waiting ??= (async () => {
    const told = make("p", { class: "away", role: "status" });
    let left = doing ?? say("server.away");
    do {
      // A dialog lies over all else, and hides it from screen readers, too.
      const top = topmost();
      if (told.parentNode !== top) top.append(told);
      if (told.textContent !== left) told.textContent = left;
      // What goes on is no fault.
      told.classList.toggle("doing", left !== say("server.away"));
      await pause();
      left = await standing();
    } while (left);
    told.remove();
    waiting = null;
    server.dispatchEvent(new Event("back"));
  })();
  return waiting;
}

// A while, which ends early when the network is there again, or somebody looks at the page.
function pause() {
  return new Promise((done) => {
    setTimeout(done, AGAIN);
    addEventListener("online", done, { once: true });
    document.addEventListener("visibilitychange", done, { once: true });
  });
}

// How far something is, with its numbers as they are written here.
function progress(text) {
  return heard(text).replace(/\b\d{1,3}(,\d{3})+\b/g, (digits) => number(Number(digits.replaceAll(",", ""))));
}

// What is in the way of answers; nothing when they come.
async function standing() {
  try {
    const answer = await fetch("/api/fetching", { cache: "no-store" });
    if (AWAY.includes(answer.status)) return say("server.away");
    const { told } = await answer.json().catch(() => ({}));
    return told ? progress(told) : null;
  } catch {
    return say("server.away");
  }
}
