// Light or dark: as the system has it, until the button says otherwise, which holds as long as the page.

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");

export function start(button) {
  const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const say = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    say();
  });
  dark.addEventListener("change", say);
  say();
}
