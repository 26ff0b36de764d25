// <details class="menu"> as a menu button, and the sidebar as a drawer on small screens.
// Both work without this script; it adds closing, arrows and focus.

const openMenus = () => document.querySelectorAll("details.menu[open]");
const items = (menu) => [...menu.querySelectorAll(".dropdown-menu a, .dropdown-menu button")];

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("focusin", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details.menu");
  if (!menu) return;
  const summary = menu.querySelector("summary");
  if (event.key === "Escape" && menu.open) {
    event.preventDefault();
    menu.open = false;
    summary.focus();
  }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  event.preventDefault();
  menu.open = true;
  const all = items(menu);
  const step = event.key === "ArrowDown" ? 1 : -1;
  const at = all.indexOf(document.activeElement);
  all[(at === -1 && step < 0 ? 0 : at + step + all.length) % all.length]?.focus();
});

const sidebar = document.getElementById("sidebar");
const opener = document.querySelector("[data-drawer-open]");

function setDrawer(open) {
  document.body.classList.toggle("drawer-open", open);
  opener.setAttribute("aria-expanded", String(open));
  for (const part of document.querySelectorAll(".topbar, .content")) part.inert = open;
  if (open) sidebar.querySelector("a, button").focus();
  else opener.focus();
}

if (sidebar && opener) {
  opener.addEventListener("click", () => setDrawer(true));
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-drawer-close]")) setDrawer(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.body.classList.contains("drawer-open")) setDrawer(false);
  });
  // A drawer left open must not lock a window that has since been widened.
  window.matchMedia("(min-width: 992px)").addEventListener("change", (wide) => {
    if (wide.matches && document.body.classList.contains("drawer-open")) setDrawer(false);
  });
}
