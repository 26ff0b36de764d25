// The list of organizations by keyboard:
//   <div data-mapping>  <tr data-row> <input data-select> … <button data-key="Enter">
// j and k or the arrows go from row to row, Space selects, a letter or Enter presses the button of
// the row that says so, with Shift the one of all that are selected; u takes back what was done
// last, a goes to the picker. Without this script the buttons are there all the same.

import { isShortcut } from "./shortcuts.js";
import { pressUndo, takeBack } from "./toasts.js";

const MANY = { Enter: "accept", c: "create", i: "ignore" };
const undoable = []; // what can be taken back, and as the how many-th it was sent
const unanswered = new Map(); // requests, and as the how many-th each was sent
let sent = 0;
let answered; // the request whose answer is being taken in
let presses = 0; // of u, that wait for their answers

const rowOf = (element) => element.closest?.("[data-mapping] [data-row]");
const rows = () => [...document.querySelectorAll("[data-mapping] [data-row]")];
const boxOf = (row) => row?.querySelector("[data-select]");

document.addEventListener("keydown", (event) => {
  if (!document.querySelector("[data-mapping]") || !isShortcut(event)) return;
  const isBox = event.target.matches("[data-select]");
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "Enter" && !isBox) return; // of a link or a button
  if (act(key, event.shiftKey, rowOf(event.target))) event.preventDefault();
});

function act(key, isForAll, row) {
  if (key === "j" || key === "ArrowDown") return go(row, 1);
  if (key === "k" || key === "ArrowUp") return go(row, -1);
  if (key === "u") return undo();
  if (isForAll && MANY[key]) return press(`#mapping [value=${MANY[key]}]:not([disabled])`);
  if (!row) return false;
  if (key === "a") return pick(row);
  const button = row.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!button) return key === "Enter"; // a box would send its form
  go(row, 1);
  button.click();
  return true;
}

function go(row, by) {
  const all = rows();
  const to = row ? all[all.indexOf(row) + by] : all[by > 0 ? 0 : all.length - 1];
  boxOf(to)?.focus();
  to?.scrollIntoView({ block: "nearest" });
  return Boolean(to);
}

function press(selector) {
  const button = document.querySelector(selector);
  button?.click();
  return Boolean(button);
}

function pick(row) {
  row.classList.add("is-open");
  row.querySelector("[role=combobox]")?.focus();
  return true;
}

function undo() {
  if (!undoable.length && !unanswered.size) return pressUndo();
  presses += 1;
  takeBackPressed();
  return true;
}

function takeBackPressed() {
  if (unanswered.size) return; // what was done last may be one of them
  undoable.sort((one, other) => one.at - other.at);
  for (; presses && undoable.length; presses -= 1) takeBack(undoable.pop().undo);
  presses = 0;
}

// Answers arrive in any order, and the server may take in what was sent in any order too.
document.body.addEventListener("htmx:beforeSend", ({ detail: { elt, requestConfig, xhr } }) => {
  if (requestConfig.verb === "get" || !elt.closest("[data-mapping]")) return;
  unanswered.set(xhr, (sent += 1));
  xhr.addEventListener("loadend", () => {
    unanswered.delete(xhr);
    takeBackPressed();
  });
});
document.body.addEventListener("htmx:beforeOnLoad", ({ detail }) => (answered = detail.xhr));
document.body.addEventListener("toast", ({ detail: { undo } }) => {
  if (undo && unanswered.has(answered)) undoable.push({ undo, at: unanswered.get(answered) });
});

document.addEventListener("click", (event) => {
  const more = event.target.closest("[data-mapping] [data-more]");
  if (!more) return;
  const isOpen = rowOf(more).classList.toggle("is-open");
  more.setAttribute("aria-expanded", String(isOpen));
});
