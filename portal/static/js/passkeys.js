// <form data-passkey="create|get" data-options="{…}"> asks the browser for a passkey when it is
// sent, and sends what it gave in the field `passkey`. With data-auto it asks by itself. Its button
// comes disabled: pressed before this script is there, it would send a form without a passkey.

import { toast } from "./toasts.js";

const REFUSED = {
  InvalidStateError: "This device or password manager has a passkey of yours already.",
  NotAllowedError: "No passkey was given: it was cancelled, or there is none for this address.",
};
const NOT_HERE = "This browser has no passkeys for this address. Use another way.";

async function ask(form) {
  const options = JSON.parse(form.dataset.options);
  const isNew = form.dataset.passkey === "create";
  const publicKey = isNew
    ? PublicKeyCredential.parseCreationOptionsFromJSON(options)
    : PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = await navigator.credentials[isNew ? "create" : "get"]({ publicKey });
  return JSON.stringify(credential.toJSON());
}

document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    if (!form.dataset.passkey) return;
    event.preventDefault();
    if (form.getAttribute("aria-busy")) return;
    form.setAttribute("aria-busy", "true");
    try {
      form.elements.passkey.value = await ask(form);
    } catch (error) {
      form.removeAttribute("aria-busy");
      toast({ category: "warning", message: REFUSED[error.name] ?? NOT_HERE });
      return;
    }
    form.submit();
  },
  true,
);

for (const button of document.querySelectorAll("form[data-passkey] button[type=submit]")) {
  button.disabled = false;
}

document.querySelector("form[data-passkey][data-auto]")?.requestSubmit();
