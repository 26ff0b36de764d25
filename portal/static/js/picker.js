// The client picker: an ARIA combobox with a list (APG pattern) over one endpoint.
//
//   <div class="picker" data-picker data-url="/t/acme/clients/picker" …>
//     <input role="combobox" name="client_name" …>     what is typed; enough without this script
//     <input type="hidden" name="client_id">           the client chosen
//     <input type="hidden" name="create">              "1": make a client of that name
//   </div>
//   data-create     offer to create a client     data-clear="Unmap"   offer to choose nothing
//   data-submit     send the form on choosing; otherwise a `change` event bubbles
//
// GET url?q=… answers {"total": 12, "options": [{"id": 3, "name": "Acme", "note": "12 assets"}]}.
//
// Listeners sit on the document: hundreds of pickers cost nothing, and rows that htmx puts in
// need no setting up. There is one list, moved to whichever picker is open.

import { Options, Question } from "./combobox.js";
import { announce } from "./toasts.js";

const PAUSE_MS = 200;
const list = document.createElement("ul");
list.id = "picker-list";
list.className = "picker-list";
list.setAttribute("role", "listbox");
list.hidden = true;

let picker = null; // the one that is open
let offers = [];
const options = new Options(list);
const question = new Question();

const textOf = (root) => root.querySelector("[role=combobox]");
const partOf = (root, name) => root.querySelector(`[data-part=${name}]`);
const isOpen = (root) => picker === root && !list.hidden;

document.addEventListener("input", (event) => {
  const root = event.target.closest?.("[data-picker]");
  if (!root || event.target !== textOf(root)) return;
  partOf(root, "id").value = "";
  partOf(root, "create").value = "";
  search(root, PAUSE_MS);
});

document.addEventListener("click", (event) => {
  const root = event.target.closest("[data-picker]");
  if (root && event.target === textOf(root)) {
    if (!isOpen(root)) search(root, 0, "");
    event.target.select();
  } else if (!list.contains(event.target)) {
    close();
  }
});

document.addEventListener("focusout", (event) => {
  const root = event.target.closest?.("[data-picker]");
  if (!root || event.target !== textOf(root) || list.contains(event.relatedTarget)) return;
  abandon(root);
});

document.addEventListener("keydown", (event) => {
  const root = event.target.closest?.("[data-picker]");
  if (!root || event.target !== textOf(root) || event.isComposing) return;
  const open = isOpen(root);
  if (open && options.press(textOf(root), event.key)) {
    event.preventDefault();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    search(root, 0, "");
  } else if (event.key === "Enter" && (open || textOf(root).value !== shownName(root))) {
    event.preventDefault(); // half a name must not be sent
    if (open && options.active >= 0) choose(offers[options.active]);
  } else if (event.key === "Escape" && (open || textOf(root).value !== shownName(root))) {
    event.preventDefault();
    event.stopPropagation();
    abandon(root);
  }
});

list.addEventListener("mousedown", (event) => event.preventDefault()); // keep focus in the text
list.addEventListener("click", (event) => {
  const item = event.target.closest("[role=option]");
  if (item) choose(offers[Number(item.dataset.index)]);
});
window.addEventListener("resize", () => close());
document.addEventListener("scroll", () => picker && place(), true);
document.addEventListener("htmx:beforeSwap", (event) => {
  if (picker && event.detail.target?.contains(picker)) close();
});

// What was chosen but could not be saved is not shown as if it were.
document.addEventListener("htmx:afterRequest", (event) => {
  const root = event.detail.elt.querySelector?.("[data-picker][data-submit]");
  if (!root || event.detail.successful || root.dataset.was === undefined) return;
  root.dataset.name = root.dataset.was;
  abandon(root);
});

const shownName = (root) => root.dataset.name || "";

function search(root, pause, query = textOf(root).value.trim()) {
  if (picker && picker !== root) close();
  picker = root;
  const url = new URL(root.dataset.url, location.href);
  url.searchParams.set("q", query);
  question.ask(url, { Accept: "application/json" }, pause, {
    read: (response) => response.json(),
    then: (answer) => root.isConnected && present(root, query, answer),
    failed: () => show(root, [], "The list did not load. Try again."),
  });
}

function present(root, query, { options: found, total }) {
  const offered = found.map((client) => ({ kind: "client", ...client }));
  const same = (name) => name.toLowerCase().split(/\s+/).join(" ");
  const isNew = query && !found.some((client) => same(client.name) === same(query));
  if (root.dataset.create !== undefined && isNew) offered.push({ kind: "create", name: query });
  if (root.dataset.clear && partOf(root, "current").value) {
    offered.push({ kind: "clear", name: root.dataset.clear });
  }
  let words = `${found.length} client${found.length === 1 ? "" : "s"}`;
  if (found.length === 0) words = query ? `No client matches “${query}”` : "There are no clients yet";
  else if (total > found.length) words = `First ${found.length} of ${total}; type to narrow`;
  show(root, offered, words);
  if (query) options.move(textOf(root), 0);
}

function show(root, offered, words) {
  offers = offered;
  list.replaceChildren(...offers.map(item));
  options.renew(textOf(root));
  const note = document.createElement("li");
  note.className = "picker-note";
  note.setAttribute("role", "presentation");
  note.textContent = words;
  list.append(note);
  list.setAttribute("aria-label", textOf(root).getAttribute("aria-label") || "Clients");
  (root.closest("dialog, main") || document.body).append(list);
  list.hidden = false;
  const text = textOf(root);
  text.setAttribute("aria-expanded", "true");
  text.setAttribute("aria-controls", list.id);
  place();
  announce(words);
}

function item(offer, index) {
  const element = document.createElement("li");
  element.dataset.index = String(index);
  element.setAttribute("role", "option");
  element.setAttribute("aria-selected", "false");
  element.className = `picker-option picker-${offer.kind}`;
  const name = document.createElement("span");
  name.textContent = offer.kind === "create" ? `Create client “${offer.name}”` : offer.name;
  element.append(name);
  if (offer.note) {
    const note = document.createElement("span");
    note.className = "picker-side";
    note.textContent = offer.note;
    element.append(note);
  }
  return element;
}

function choose(offer) {
  const root = picker;
  close();
  const isClient = offer.kind === "client";
  const name = offer.kind === "clear" ? "" : offer.name;
  textOf(root).value = name;
  partOf(root, "id").value = isClient ? offer.id : "";
  partOf(root, "create").value = offer.kind === "create" ? "1" : "";
  const unchanged = isClient && String(offer.id) === partOf(root, "current").value;
  root.dataset.was = shownName(root);
  root.dataset.name = name;
  if (unchanged) return;
  if (root.dataset.submit !== undefined) textOf(root).form.requestSubmit();
  else settle(root);
}

// Without a form to send, the page around it hears of the choice.
function settle(root) {
  partOf(root, "current").value = partOf(root, "id").value;
  partOf(root, "id").dispatchEvent(new Event("change", { bubbles: true }));
}

// Leaving without choosing puts back what was there.
function abandon(root) {
  if (picker === root) close();
  const text = textOf(root);
  if (text.value === shownName(root)) return;
  if (text.value.trim() === "" && root.dataset.clear && root.dataset.submit === undefined) {
    root.dataset.name = "";
    partOf(root, "id").value = "";
    settle(root);
    return;
  }
  text.value = shownName(root);
  partOf(root, "id").value = partOf(root, "current").value;
  partOf(root, "create").value = "";
}

function close() {
  question.stop();
  if (picker) {
    const text = textOf(picker);
    text?.setAttribute("aria-expanded", "false");
    text?.removeAttribute("aria-controls");
    text?.removeAttribute("aria-activedescendant");
  }
  list.hidden = true;
  picker = null;
  offers = [];
  options.active = -1;
}

function place() {
  const box = textOf(picker).getBoundingClientRect();
  const below = window.innerHeight - box.bottom;
  const room = Math.max(below, box.top) - 12;
  list.style.minWidth = `${box.width}px`;
  list.style.maxHeight = `${Math.min(room, 320)}px`;
  list.style.left = `${Math.max(8, Math.min(box.left, window.innerWidth - list.offsetWidth - 8))}px`;
  if (below < 200 && box.top > below) {
    list.style.top = "auto";
    list.style.bottom = `${window.innerHeight - box.top + 2}px`;
  } else {
    list.style.bottom = "auto";
    list.style.top = `${box.bottom + 2}px`;
  }
}
