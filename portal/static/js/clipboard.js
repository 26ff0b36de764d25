// <button data-copy="text"> copies it and says so.

import { announce, toast } from "./toasts.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // Browsers allow the clipboard on HTTPS and localhost only.
    toast({ category: "warning", message: "The browser refused to copy. Select the text instead." });
    return;
  }
  button.classList.add("copied");
  announce("Copied");
  setTimeout(() => button.classList.remove("copied"), 1500);
});
