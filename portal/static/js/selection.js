// Rows chosen for an action:
//   <form data-selection>
//     <input type="checkbox" data-select-all>  <span data-selection-count>
//     <input type="checkbox" data-select-matching="4312">  all that the filters show
//       (of organizations with data-agents="912" data-unknown="3": of all of them)
//     <input type="checkbox" data-select>      one a row; Shift takes the rows between
//     <button data-confirm-one="Resolve 1 alert?" data-confirm-many="Resolve {n} alerts?">
// Boxes may stand outside of the form and name it: form="…". Boxes with data-agents are counted:
// "would import 12 agents", or "no agents to import".
// Without this script the boxes and buttons work; the server says when nothing was chosen.

let last = null; // the box that was clicked last

const boxesOf = (form) => [...form.elements].filter((one) => one.matches("[data-select]"));

function show(form) {
  const boxes = boxesOf(form);
  const ticked = boxes.filter((box) => box.checked);
  const chosen = ticked.length;
  const all = form.querySelector("[data-select-all]");
  if (all) {
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    all.disabled = boxes.length === 0;
  }
  const matching = form.querySelector("[data-select-matching]");
  const number = matching?.checked ? Number(matching.dataset.selectMatching) : chosen;
  const said = `${number.toLocaleString("en")} selected`;
  const imported = matching?.checked ? agentsOfAll(matching) : agentsOf(ticked);
  const words = number ? [said, ...imported].join(" · ") : "";
  const count = form.querySelector("[data-selection-count]");
  if (count && count.textContent !== words) count.textContent = words;
  form.classList.toggle("has-selection", number > 0);
  for (const button of form.querySelectorAll(".selection-actions button")) {
    button.disabled = number === 0;
    const { confirmOne, confirmMany } = button.dataset;
    if (confirmOne) {
      button.dataset.confirmTitle = number === 1 ? confirmOne : confirmMany.replace("{n}", number);
    }
  }
}

// What mapping the organizations that are ticked would import, as far as that is known.
function agentsOf(boxes) {
  const told = boxes.map((box) => box.dataset.agents).filter((one) => one !== undefined);
  const known = told.filter((one) => one !== "").map(Number);
  const sum = known.reduce((all, one) => all + one, 0);
  return sayAgents(sum, told.length - known.length, told.length);
}

function agentsOfAll(matching) {
  const { agents, unknown, selectMatching } = matching.dataset;
  return agents === undefined ? [] : sayAgents(Number(agents), Number(unknown), Number(selectMatching));
}

function sayAgents(sum, unknown, all) {
  if (!all) return [];
  if (unknown === all) return ["agents not known"];
  const words = sum
    ? `would import ${sum.toLocaleString("en")} agent${sum === 1 ? "" : "s"}`
    : "no agents to import";
  return [unknown ? `${words} (of ${unknown} not known)` : words];
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
  const form = event.target.closest("[data-selection]") || event.target.form;
  if (form?.dataset.selection === undefined) return;
  if (event.target.matches("[data-select-all]")) {
    for (const box of boxesOf(form)) box.checked = event.target.checked;
  }
  const matching = form.querySelector("[data-select-matching]");
  if (event.target === matching) {
    for (const box of boxesOf(form)) box.checked = matching.checked;
  } else if (matching) matching.checked = false;
  show(form);
});

// What was done to the rows that are ticked is done: the next thing is for others.
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful, requestConfig } = event.detail;
  const form = elt.form ?? elt;
  if (!successful || requestConfig.verb !== "post" || form.dataset?.selection === undefined) return;
  for (const box of form.elements) {
    if (box.matches("[data-select], [data-select-all], [data-select-matching]")) box.checked = false;
  }
  show(form);
});

showAll();
window.addEventListener("pageshow", () => showAll());
document.addEventListener("htmx:afterSettle", () => showAll());
