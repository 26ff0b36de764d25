// Keeps "5 minutes ago" true while a page stays open, and shows every time in the reader's own
// zone, with UTC on hover. Without scripts the server's words, in UTC, stay. The wording of `ago`
// and of UTC matches the server's.

const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];
const EXACT = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" };
const IN_UTC = new Intl.DateTimeFormat("en-GB", { ...EXACT, timeZone: "UTC" });

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

function clock(then) {
  const isToday = then.toDateString() === new Date().toDateString();
  const day = isToday ? {} : { day: "numeric", month: "short" };
  return then.toLocaleString(undefined, { ...day, hour: "2-digit", minute: "2-digit" });
}

// The end of a sentence: "at 10:02", of another day "on 28 Nov 2026 at 10:02".
function on(then) {
  const isToday = then.toDateString() === new Date().toDateString();
  const time = then.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  const day = then.toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
  return isToday ? `at ${time}` : `on ${day} at ${time}`;
}

const exact = (then) => then.toLocaleString(undefined, EXACT);

const WORDS = {
  "time[data-ago]": (then) => ago((Date.now() - then.getTime()) / 1000),
  "time[data-clock]": clock,
  "time[data-moment]": exact,
  "time[data-on]": on,
};

function refresh(root = document) {
  for (const [selector, say] of Object.entries(WORDS)) {
    for (const element of root.querySelectorAll(selector)) {
      const then = new Date(element.dateTime);
      if (Number.isNaN(then.getTime())) continue;
      const words = say(then);
      if (words && element.textContent !== words) element.textContent = words;
      element.title = `${exact(then)} (${IN_UTC.format(then)} UTC)`;
    }
  }
}

refresh();
setInterval(() => document.visibilityState === "visible" && refresh(), 10_000);
document.addEventListener("visibilitychange", () => refresh());
document.addEventListener("htmx:load", (event) => refresh(event.detail.elt));
