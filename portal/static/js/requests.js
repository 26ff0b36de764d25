// What every htmx request of the portal has in common.

import { toast } from "./toasts.js";

const NO_ANSWER = "The portal did not answer; nothing was lost, try again.";
const SAID = {
  400: "This page is too old to act on. Reload it and try again.",
  401: "You are signed out. Sign in again to carry on.",
  403: "Your role does not allow this.",
  404: "This is no longer there. Reload the page.",
  413: "That is too much to send at once.",
  429: "Too many requests. Wait a minute and try again.",
  503: "The portal is not ready. Try again in a minute.",
};
const STAYS = "[role=combobox], [aria-current], a[href], button";
const STAYS_IN_ROW = "tr [role=combobox]"; // of what the row is about
const WENT_WRONG = "Something went wrong in the portal; it was logged. Try again.";

export function connectHtmx() {
  document.body.addEventListener("htmx:configRequest", (event) => {
    const { headers, parameters, verb, elt } = event.detail;
    if (verb !== "get") headers["X-CSRFToken"] = csrfToken();
    // Filters that are off stay out of the address.
    if (verb === "get" && elt.closest("[data-filters]")) {
      for (const name of [...new Set(parameters.keys())]) {
        const values = parameters.getAll(name).filter((value) => value !== "");
        parameters.delete(name);
        for (const value of values) parameters.append(name, value);
      }
      // The name in a picker is for people; the address carries the id.
      for (const text of elt.querySelectorAll("[data-picker] [role=combobox]")) {
        parameters.delete(text.name);
      }
    }
  });

  // Text in a filter has been acted on while it was typed; leaving the field is no news.
  document.addEventListener(
    "change",
    (event) => {
      const isText = event.target.matches("input[type=search], [role=combobox]");
      if (isText && event.target.form?.dataset.filters !== undefined) event.stopPropagation();
    },
    true,
  );

  // A request that was redirected to another page (signed out meanwhile) answers with a whole
  // page: go there instead of putting it into this one.
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, pathInfo, elt } = event.detail;
    const moved = new URL(xhr.responseURL || location.href, location.href).pathname;
    const asked = new URL(pathInfo.requestPath, location.href).pathname;
    const isPage = /^\s*<!doctype html/i.test(xhr.responseText);
    if (isPage && moved !== asked && !elt.hasAttribute("hx-select")) {
      event.detail.shouldSwap = false;
      location.assign(xhr.responseURL);
    }
  });

  document.body.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    if (/"?toast"?/.test(xhr.getResponseHeader("HX-Trigger") || "")) return; // it said so itself
    toast({ category: "error", message: SAID[xhr.status] || WENT_WRONG });
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.body.addEventListener(name, () => toast({ category: "error", message: NO_ANSWER }));
  }

  // When the button that was pressed goes with its region, the keyboard stays in that region.
  // (It is disabled while it works, and a disabled button has already lost the focus.)
  const pressed = new WeakMap();
  let left = "";
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    pressed.set(event.detail.xhr, document.activeElement);
  });
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { target, xhr } = event.detail;
    const now = document.activeElement;
    const was = now === document.body ? pressed.get(xhr) : now;
    left = target.contains(was) ? target.id : "";
  });
  document.body.addEventListener("htmx:afterSettle", () => {
    if (!left || document.activeElement !== document.body) return;
    const region = document.getElementById(left);
    const inRow = region?.matches("tr") && region.querySelector(STAYS_IN_ROW);
    (inRow || region?.querySelector(STAYS))?.focus({ preventScroll: true });
    left = "";
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const was = pressed.get(event.detail.xhr);
    setTimeout(() => {
      if (was?.isConnected && document.activeElement === document.body) was.focus();
    });
  });

  // What could not be saved is not shown as if it were.
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const { elt, successful } = event.detail;
    if (!successful && elt.matches?.("form.row-form")) elt.reset();
  });

  // A plain form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    // A dialog is answered as often as it asks.
    if (event.defaultPrevented || isHtmx(form) || form.method === "dialog") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
    // A download leaves the page as it is.
    const leaves = form.method !== "get" && event.submitter?.dataset.download === undefined;
    if (!leaves) setTimeout(() => release(form), 1000);
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(release);
  });
}

export function isHtmx(form) {
  return ["hx-post", "hx-get", "hx-put", "hx-delete"].some((name) => form.hasAttribute(name));
}

function release(form) {
  delete form.dataset.sent;
  form.removeAttribute("aria-busy");
}

export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}
