// Keys for people who keep their hands on them. They can be switched off in the help dialog,
// since single keys get in the way of speech input.

import { openPalette } from "./palette.js";
import { pressUndo } from "./toasts.js";

const KEY = "shortcuts";
let pendingGo = 0;

const enabled = () => {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
};

const TYPED_INTO = "input:not([type=checkbox], [type=radio]), textarea, select, [role=combobox]";
const isTyping = (element) => element.isContentEditable || element.closest(TYPED_INTO);

// With Ctrl or Alt a key means something to the browser; but on many keyboards it takes AltGr, which
// counts as both, or Alt to write a bracket.
const isChord = ({ key, ctrlKey, altKey }) =>
  "[]".includes(key) ? ctrlKey && !altKey : ctrlKey || altKey;

// Whether a press is a shortcut: no text, no dialog and no other key stands in its way.
export const isShortcut = (event) =>
  !(event.metaKey || event.defaultPrevented || isChord(event)) &&
  enabled() &&
  !isTyping(event.target) &&
  !document.querySelector("dialog[open]");

document.addEventListener("keydown", (event) => {
  if (!isShortcut(event)) return;

  if (pendingGo && Date.now() - pendingGo < 1500) {
    pendingGo = 0;
    const link = document.querySelector(`[data-go="${CSS.escape(event.key.toLowerCase())}"]`);
    if (link) {
      event.preventDefault();
      link.click();
    }
    return;
  }
  if (event.key === "/") {
    // A page without a search of its own has that over everything.
    event.preventDefault();
    const field = document.querySelector("[data-search]");
    if (!field) return openPalette();
    field.focus();
    field.select();
  } else if (event.key === "?") {
    document.getElementById("help-dialog")?.showModal();
  } else if (event.key === "u" && !document.querySelector("[data-mapping]")) {
    pressUndo(); // mapping.js knows of more than one
  } else if (event.key === "g") {
    pendingGo = Date.now();
  } else {
    document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`)?.click();
  }
});

const box = document.getElementById("shortcuts-on");
if (box) {
  box.checked = enabled();
  box.addEventListener("change", () => {
    try {
      localStorage.setItem(KEY, box.checked ? "on" : "off");
    } catch {
      // Without storage the choice cannot be kept.
    }
  });
}
