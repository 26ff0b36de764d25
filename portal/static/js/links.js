// <form data-code-of-link> gets the code that stands after the # of the page's address, and is sent.
// The code leaves the address, and with it the history of the browser.

const form = document.querySelector("form[data-code-of-link]");

function sendCode() {
  const code = location.hash.slice(1);
  if (!code) return;
  history.replaceState(null, "", location.pathname);
  form.elements.code.value = code;
  form.submit();
}

if (form) {
  sendCode();
  addEventListener("hashchange", sendCode);
}
