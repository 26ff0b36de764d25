// Keeps "5 minutes ago" true while a page stays open, and gives times of the day and exact
// times in the reader's own zone. The wording matches the `ago` filter of the server.

const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

export function ago(seconds) {
  if (seconds < -60) return null; // the future: leave the server's words
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} seconds ago`;
  for (const [unit, size] of UNITS) {
    const count = Math.floor(seconds / size);
    if (count >= 1) return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
  }
  return null;
}

function refresh(root = document) {
  for (const element of root.querySelectorAll("time[data-ago]")) {
    const then = new Date(element.dateTime);
    if (Number.isNaN(then.getTime())) continue;
    const words = ago((Date.now() - then.getTime()) / 1000);
    if (words && element.textContent !== words) element.textContent = words;
    element.title = then.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }
  for (const element of root.querySelectorAll("time[data-clock]")) {
    const then = new Date(element.dateTime);
    if (Number.isNaN(then.getTime())) continue;
    const isToday = then.toDateString() === new Date().toDateString();
    const day = isToday ? {} : { day: "numeric", month: "short" };
    const words = then.toLocaleString(undefined, { ...day, hour: "2-digit", minute: "2-digit" });
    if (element.textContent !== words) element.textContent = words;
    element.title = then.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }
}

refresh();
setInterval(() => document.visibilityState === "visible" && refresh(), 10_000);
document.addEventListener("visibilitychange", () => refresh());
document.addEventListener("htmx:load", (event) => refresh(event.detail.elt));
