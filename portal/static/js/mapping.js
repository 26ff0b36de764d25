// The list of organizations by keyboard:
//   <div data-mapping>  <tr data-row> <input data-select> … <button data-key="Enter">
// j and k or the arrows go from row to row, Space selects, a letter or Enter presses the button of
// the row that says so, with Shift the one of all that are selected; u takes back what was done
// last, a goes to the picker. Without this script the buttons are there all the same.

import { isShortcut } from "./shortcuts.js";
import { takeBack } from "./toasts.js";

const MANY = { Enter: "accept", c: "create", i: "ignore" };
const undoable = []; // what can be taken back

const rowOf = (element) => element.closest?.("[data-mapping] [data-row]");
const rows = () => [...document.querySelectorAll("[data-mapping] [data-row]")];
const boxOf = (row) => row?.querySelector("[data-select]");

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && cancel(event.target)) return;
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
  // Answers arrive in any order; what was done last has the highest number.
  undoable.sort((one, other) => one.id - other.id);
  const last = undoable.pop();
  if (last) takeBack(last);
  return Boolean(last);
}

// The question whether assets are to move is answered with no.
function cancel(element) {
  const no = rowOf(element)?.querySelector("[data-cancel]");
  no?.click();
  return Boolean(no);
}

document.body.addEventListener("toast", (event) => {
  if (event.detail.undo && document.querySelector("[data-mapping]")) undoable.push(event.detail.undo);
});

document.addEventListener("click", (event) => {
  const more = event.target.closest("[data-mapping] [data-more]");
  if (!more) return;
  const isOpen = rowOf(more).classList.toggle("is-open");
  more.setAttribute("aria-expanded", String(isOpen));
});
