// A secret, shown once. It is in the dialog and nowhere else, and both are gone when it is closed.

import { h, fill } from "./dom.js";
import { dialog } from "./dialog.js";
import { announce } from "./notices.js";

const leaving = (event) => event.preventDefault();

/** Shows `document.secret`, which it takes out of the document; resolves when it has been stored. */
export async function showSecret(document, title) {
  const shown = h("output", { class: "secret mono", tabindex: "0", "aria-label": "The secret" }, document.secret);
  delete document.secret;
  const stored = h("input", { type: "checkbox", id: "stored" });
  const said = h("span", { class: "muted", role: "status" });
  const done = h("button", { type: "submit", class: "primary", disabled: true }, "Close");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(shown.textContent);
      fill(said, "Copied.");
    } catch {
      getSelection().selectAllChildren(shown);
      fill(said, "This browser doesn't let the page copy. It is selected: copy it by hand.");
    }
  };
  stored.addEventListener("change", () => { done.disabled = !stored.checked; });
  addEventListener("beforeunload", leaving);
  await dialog({
    title,
    kind: "once",
    dismissable: () => stored.checked,
    content: (close) => h("form", { submit: (event) => { event.preventDefault(); if (stored.checked) close(); } },
      h("p", null, "This is the only time that it is shown. Only its hash is kept, so nobody can look it up later."),
      h("p", { class: "secret-row" }, shown, h("button", { type: "button", click: copy, id: "copy-secret" }, "Copy")),
      h("p", { class: "said" }, said),
      h("p", null, h("label", { class: "check" }, stored, " I have stored it")),
      h("div", { class: "actions" }, done)),
  });
  removeEventListener("beforeunload", leaving);
  fill(shown);
  announce("The secret is no longer shown.");
}
