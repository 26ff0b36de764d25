// Runs before the first paint, so that the page never flashes in the other theme.
// Without a stored choice the page follows the system.
(() => {
  const KEY = "theme";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  const read = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is switched off: follow the system
    }
  };
  const store = (theme) => {
    try {
      if (theme) localStorage.setItem(KEY, theme);
      else localStorage.removeItem(KEY);
    } catch {
      // The choice holds for this page only.
    }
  };
  const systemTheme = () => (system.matches ? "dark" : "light");
  const apply = (theme) => root.setAttribute("data-theme", theme);

  root.classList.add("js");
  apply(read() || systemTheme());
  system.addEventListener("change", () => apply(read() || systemTheme()));
  window.addEventListener("storage", (event) => {
    if (event.key === KEY) apply(read() || systemTheme());
  });

  // Choosing what the system has anyway means: follow the system again.
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const theme = root.getAttribute("data-theme") === "dark" ? "light" : "dark";
    store(theme === systemTheme() ? null : theme);
    apply(theme);
  });
})();
