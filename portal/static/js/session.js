// Clears what a page shows when its session ends: in this tab or another one, by time, from
// elsewhere, or while the portal is out of reach.

const ASKED_EVERY = 5 * 60;
const ENDED = "You are signed out. Reload this page to sign in again.";
const tabs = new BroadcastChannel("session");
const shown = document.querySelector('meta[name="session"]');
let endsAt = 0;
let timer;

export function watchSession() {
  if (!shown) {
    tabs.postMessage("looked at signed out"); // the other tabs may not know yet
    return;
  }
  wait(Number(shown.content));
  tabs.addEventListener("message", ask);
  window.addEventListener("pageshow", (event) => event.persisted && ask());
  document.addEventListener("visibilitychange", () => document.hidden || ask());
}

function wait(seconds) {
  endsAt = Date.now() + seconds * 1000;
  askIn(seconds);
}

function askIn(seconds) {
  clearTimeout(timer);
  timer = setTimeout(ask, Math.min(seconds + 1, ASKED_EVERY) * 1000);
}

async function ask() {
  const state = await read();
  if (state === null) {
    if (Date.now() >= endsAt) clear();
    else askIn(Math.min((endsAt - Date.now()) / 1000, 60));
  } else if (state.user === shown.dataset.user) {
    wait(state.seconds);
  } else {
    clear();
    location.reload();
  }
}

// Null where nobody answers.
async function read() {
  try {
    const answer = await fetch("/session", { cache: "no-store" });
    if (answer.status === 401) return { user: "" };
    const { user, seconds } = await answer.json();
    return { user: String(user), seconds };
  } catch {
    return null;
  }
}

function clear() {
  clearTimeout(timer);
  const said = document.createElement("p");
  said.className = "session-ended";
  said.textContent = ENDED;
  document.body.replaceChildren(said);
  document.title = "Signed out";
}
