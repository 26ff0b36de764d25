// Toasts: flashed messages of the page, `toast` events sent by the server in HX-Trigger,
// and what scripts have to say. All of them in live regions, none of them stealing focus.
//
//   HX-Trigger: {"toast": {"category": "success", "message": "Mapped.",
//                          "link": {"href": "/…", "label": "Open the run"},
//                          "undo": {"id": 7, "url": "/…"}}}
//   or a list of such objects.

const ICONS = {
  success: "circle-check",
  error: "alert-circle",
  warning: "alert-triangle",
  info: "info-circle",
};
const SECONDS = { success: 6, info: 8 }; // errors and warnings stay until dismissed
const SECONDS_TO_UNDO = 20; // of what is not the last that can be undone; that one gets small then

export function toast({ category = "info", message, link, undo }) {
  if (!message) return;
  const region = document.getElementById("toasts");
  if (!region) return;
  const kind = category in ICONS ? category : "info";
  // The same message again replaces the old one: a poll that fails every second says so once.
  for (const other of region.children) if (other.dataset.message === message) other.remove();
  const template = document.getElementById("toast-template");
  const element = template.content.firstElementChild.cloneNode(true);
  element.dataset.message = message;
  element.classList.add(`toast-${kind}`);
  const use = element.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${ICONS[kind]}`));
  element.querySelector("[data-message-slot]").textContent = message;
  const anchor = element.querySelector("a");
  if (link?.href?.startsWith("/")) {
    anchor.href = link.href;
    anchor.textContent = link.label || "Open";
  } else {
    anchor.remove();
  }
  const back = element.querySelector("form");
  if (undo) offer(back, undo);
  else back?.remove();
  region.append(element);
  announce(message, kind === "error");
  if (undo) keep(element, region);
  else hideLater(element, SECONDS[kind]);
}

// What was done is taken back by the button of its toast. A page with a part that reads itself again
// stays as it is; any other one is left, and opened anew.
function offer(form, undo) {
  form.action = undo.url;
  form.addEventListener("submit", (event) => {
    if (!document.querySelector("[data-reads-again]")) {
      form.elements.next.value = location.pathname + location.search;
      return;
    }
    event.preventDefault();
    form.closest(".notice-toast").remove();
    takeBack(undo);
  });
}

// The last that can be undone stays as long as it can be, and becomes a line after a while: the page
// leaves room for it below its end. Those before it go.
function keep(element, region) {
  for (const other of region.querySelectorAll(".toast-kept")) {
    other.classList.remove("toast-kept");
    hideLater(other, SECONDS_TO_UNDO);
  }
  element.classList.add("toast-kept");
  setTimeout(() => element.classList.add("toast-small"), SECONDS_TO_UNDO * 1000);
  setTimeout(() => element.remove(), Number(region.dataset.undoSeconds) * 1000);
}

// By the keyboard: what the newest message says was done. Whether there is one.
export function pressUndo() {
  const button = [...document.querySelectorAll("#toasts form button")].pop();
  button?.click();
  return Boolean(button);
}

// Once, and one after the other: each time the list is read again before the next. It is asked for
// here and not left to an event of the answer, since a list hears of nothing from when it is replaced
// until that has settled.
let before = Promise.resolve();
export function takeBack(undo) {
  if (undo.done) return;
  undo.done = true;
  const send = async () => {
    await window.htmx.ajax("POST", undo.url, { target: "body", swap: "none" });
    await Promise.all([...document.querySelectorAll("[data-reads-again]")].map(readAgain));
  };
  before = before.then(send, send);
}

function readAgain(reader) {
  return window.htmx.ajax("GET", reader.getAttribute("hx-get"), { source: reader });
}

// A region that exists from the start is read out more reliably than one that appears.
export function announce(message, urgent = false) {
  const region = document.getElementById(urgent ? "announce-now" : "announce");
  if (!region) return;
  region.textContent = "";
  setTimeout(() => (region.textContent = message), 50);
}

export function connectToasts() {
  const region = document.getElementById("toasts");
  if (!region) return;
  for (const element of [...region.children]) {
    const { category, message } = element.dataset;
    const url = element.querySelector("form")?.action;
    element.remove();
    toast({ category, message, undo: url && { url } });
  }
  region.addEventListener("click", (event) => {
    event.target.closest("[data-dismiss]")?.closest(".notice-toast").remove();
  });
  document.body.addEventListener("toast", (event) => {
    for (const one of Array.isArray(event.detail) ? event.detail : [event.detail]) toast(one);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    if (region.contains(document.activeElement)) {
      document.activeElement.closest(".notice-toast")?.remove();
    }
  });
}

function hideLater(element, seconds) {
  if (!seconds) return;
  let timer;
  const start = () => (timer = setTimeout(() => element.remove(), seconds * 1000));
  const stop = () => clearTimeout(timer);
  element.addEventListener("mouseenter", stop);
  element.addEventListener("mouseleave", start);
  element.addEventListener("focusin", stop);
  element.addEventListener("focusout", start);
  start();
}
