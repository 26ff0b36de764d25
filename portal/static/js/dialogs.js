// Questions before actions. Any form or htmx element with these attributes asks first:
//   data-confirm="What will happen, in a sentence."   data-confirm-title="Disconnect?"
//   data-confirm-action="Disconnect"                  data-confirm-danger
// and <button data-open="id"> opens the <dialog id="id">.

import { isHtmx } from "./requests.js";

const confirmed = new WeakSet();

function ask(element, then) {
  const dialog = document.getElementById("confirm-dialog");
  const { confirm, confirmTitle, confirmAction, confirmDanger } = element.dataset;
  dialog.querySelector("h2").textContent = confirmTitle || "Are you sure?";
  dialog.querySelector("p").textContent = confirm;
  const go = dialog.querySelector("[value=yes]");
  go.textContent = confirmAction || "Continue";
  go.classList.toggle("btn-danger", confirmDanger !== undefined);
  go.classList.toggle("btn-primary", confirmDanger === undefined);
  dialog.returnValue = "";
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && then(), { once: true });
  dialog.showModal();
  dialog.querySelector("[value=no]").focus();
}

document.addEventListener("htmx:confirm", (event) => {
  const element = event.detail.elt;
  if (element.dataset.confirm === undefined) return;
  event.preventDefault();
  ask(element, () => event.detail.issueRequest(true));
});

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.dataset.confirm === undefined || isHtmx(form) || confirmed.has(form)) return;
    event.preventDefault();
    event.stopPropagation();
    ask(form, () => {
      confirmed.add(form);
      form.requestSubmit();
    });
  },
  true,
);

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open)?.showModal();
  const dialog = event.target.closest("dialog");
  if (event.target.closest("[data-close]")) dialog?.close();
  else if (dialog && event.target === dialog) dialog.close(); // the backdrop
});
