// A search box that hides the labels of a list that do not hold its words.
document.addEventListener("input", (event) => {
  const box = event.target;
  if (!box.matches?.("[data-narrows]")) return;
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const label of document.getElementById(box.dataset.narrows).children) {
    const text = label.textContent.toLowerCase();
    label.hidden = !words.every((word) => text.includes(word));
  }
});
// Enter narrows, and does not send the form around it.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches?.("[data-narrows]")) event.preventDefault();
});
