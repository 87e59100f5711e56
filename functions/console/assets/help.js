// Keyboard shortcuts, and the page that lists them. They can be switched off, because some people's software types letters.

import { h } from "./dom.js";
import { dialog } from "./dialog.js";
import { go, show } from "./router.js";
import { IDLE_MINUTES, who } from "./session.js";

let enabled = true;

const SHORTCUTS = {
  "/": ["Search", () => document.querySelector("[data-search]")?.focus()],
  k: ["All keys", () => go("/keys")],
  n: ["Issue a key", () => go("/issue")],
  p: ["Plans", () => go("/plans")],
  c: ["Changes", () => go("/changes")],
  r: ["Load this page again", () => show({ focus: false })],
  "?": ["This list", openHelp],
};

export function start(button) {
  button.addEventListener("click", openHelp);
  addEventListener("keydown", (event) => {
    if (!enabled || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (event.target.closest?.("input, textarea, select, dialog, [contenteditable]")) return;
    const shortcut = SHORTCUTS[event.key];
    if (!shortcut || (!who() && event.key !== "?")) return;
    event.preventDefault();
    shortcut[1]();
  });
}

function openHelp() {
  const toggle = h("input", { type: "checkbox", change: () => { enabled = toggle.checked; } });
  toggle.checked = enabled;
  dialog({
    title: "Help",
    content: (close) => [
      h("p", null, "Your key is kept in this page's memory only. It is forgotten when you sign out, load or leave the page, and after ",
        `${IDLE_MINUTES} minutes without a key press or a click.`),
      h("h3", null, "Keyboard shortcuts"),
      h("dl", { class: "shortcuts" },
        Object.entries(SHORTCUTS).map(([key, [what]]) => h("div", null, h("dt", null, h("kbd", null, key)), h("dd", null, what)))),
      h("p", null, h("label", { class: "check" }, toggle, " Shortcuts of single keys are on")),
      h("div", { class: "actions" }, h("button", { type: "button", class: "primary", click: () => close() }, "Close")),
    ],
  });
}
