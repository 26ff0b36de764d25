// The command palette: search over everything, by Ctrl-K or ⌘K. Options come from the server as they
// are shown; one leads to a page, or stands for a form that is sent.

import { Options, Question } from "./combobox.js";
import { csrfToken } from "./requests.js";
import { announce } from "./toasts.js";

const PAUSE_MS = 120;
const dialog = document.getElementById("palette");
const text = dialog?.querySelector("[role=combobox]");
const list = dialog?.querySelector("[role=listbox]");
const note = dialog?.querySelector("[data-note]");
const options = new Options(list);
const question = new Question();

export function openPalette() {
  if (!dialog || dialog.open) return;
  text.value = "";
  list.replaceChildren();
  dialog.showModal();
  text.focus();
  search(0);
}

function search(pause) {
  const url = new URL(list.dataset.url, location.href);
  url.searchParams.set("q", text.value.trim());
  list.setAttribute("aria-busy", "true");
  question.ask(url, { "HX-Request": "true", "HX-Target": list.id }, pause, {
    read: async (response) => (response.redirected ? location.reload() : response.text()),
    then: show,
    failed: () => say("The list did not load. Try again."),
  });
}

function show(markup) {
  list.innerHTML = markup ?? "";
  options.renew(text);
  say("");
  announce(`${options.all.length} found`);
  options.move(text, 0);
}

function say(words) {
  list.removeAttribute("aria-busy");
  note.textContent = words;
  if (words) announce(words);
}

function choose(option, inNewTab) {
  const { href, post } = option.dataset;
  if (post !== undefined) return send(href);
  if (inNewTab) return window.open(href, "_blank", "noopener");
  dialog.close();
  location.assign(href);
}

function send(action) {
  const form = document.createElement("form");
  const token = document.createElement("input");
  Object.assign(form, { method: "post", action });
  Object.assign(token, { type: "hidden", name: "csrf_token", value: csrfToken() });
  form.append(token);
  document.body.append(form);
  form.requestSubmit();
}

if (dialog) {
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    if (event.shiftKey || event.altKey || document.querySelector("dialog[open]:not(#palette)")) return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else openPalette();
  });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-palette]");
    if (!opener || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openPalette();
  });
  text.addEventListener("input", () => search(PAUSE_MS));
  text.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    // Home and End are the text's own here: it is longer than a name that is picked.
    const moves = event.key.startsWith("Arrow") && options.press(text, event.key);
    const chooses = event.key === "Enter" && options.chosen;
    if (moves || chooses) event.preventDefault();
    if (chooses) choose(options.chosen, event.ctrlKey || event.metaKey);
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // keep focus in the text
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(option, event.ctrlKey || event.metaKey);
  });
  dialog.addEventListener("close", () => question.stop());
}
