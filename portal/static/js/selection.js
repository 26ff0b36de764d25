// Rows chosen for an action:
//   <form data-selection>
//     <input type="checkbox" data-select-all>  <span data-selection-count>
//     <input type="checkbox" data-select>      one a row; Shift takes the rows between
//     <button data-confirm-one="Resolve 1 alert?" data-confirm-many="Resolve {n} alerts?">
// Without this script the boxes and buttons work; the server says when nothing was chosen.

let last = null; // the box that was clicked last

const boxesOf = (form) => [...form.querySelectorAll("[data-select]")];

function show(form) {
  const boxes = boxesOf(form);
  const chosen = boxes.filter((box) => box.checked).length;
  const all = form.querySelector("[data-select-all]");
  if (all) {
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    all.disabled = boxes.length === 0;
  }
  const words = chosen ? `${chosen} selected` : "";
  const count = form.querySelector("[data-selection-count]");
  if (count && count.textContent !== words) count.textContent = words;
  form.classList.toggle("has-selection", chosen > 0);
  for (const button of form.querySelectorAll(".selection-actions button")) {
    button.disabled = chosen === 0;
    const { confirmOne, confirmMany } = button.dataset;
    if (confirmOne) {
      button.dataset.confirmTitle = chosen === 1 ? confirmOne : confirmMany.replace("{n}", chosen);
    }
  }
}

function showAll(root = document) {
  for (const form of root.querySelectorAll("[data-selection]")) show(form);
}

document.addEventListener("click", (event) => {
  const box = event.target.closest("[data-select]");
  if (!box) return;
  const boxes = boxesOf(box.form);
  const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)];
  if (event.shiftKey && from !== -1) {
    for (const one of boxes.slice(Math.min(from, to), Math.max(from, to) + 1)) {
      one.checked = box.checked;
    }
  }
  last = box;
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-selection]");
  if (!form) return;
  if (event.target.matches("[data-select-all]")) {
    for (const box of boxesOf(form)) box.checked = event.target.checked;
  }
  show(form);
});

showAll();
window.addEventListener("pageshow", () => showAll());
document.addEventListener("htmx:afterSettle", () => showAll());
