// Signing in: the key is proven by asking who it is, and is out of the field before anything else is shown.

import { h, fill } from "../dom.js";
import { identify, Problem } from "../api.js";
import { begin } from "../session.js";

export function signIn(reason) {
  const input = h("input", {
    type: "password", id: "admin-key", autocomplete: "off", spellcheck: "false", autocapitalize: "off", required: true,
    "aria-describedby": "admin-key-hint admin-key-error",
  });
  const wrong = h("p", { class: "error", id: "admin-key-error", role: "alert" });
  const button = h("button", { type: "submit", class: "primary" }, "Sign in");
  const submit = async (event) => {
    event.preventDefault();
    const secret = input.value.trim();
    fill(wrong);
    if (!secret) return say("Enter an admin key.");
    button.disabled = true;
    try {
      const self = await identify(secret);
      input.value = "";
      if (!self.scopes?.includes("admin")) {
        return say(`This key may not manage keys: its scopes are ${self.scopes?.join(", ") ?? "unknown"}, and the console needs admin.`);
      }
      begin(secret, self);
    } catch (error) {
      say(sentence(error));
    } finally {
      button.disabled = false;
    }
  };
  function say(sentence) {
    fill(wrong, sentence);
    input.setAttribute("aria-invalid", "true");
    input.focus();
    input.select();
  }
  return h("section", { class: "sign-in" },
    h("h1", null, "Sign in"),
    reason && h("p", { class: "notice done", role: "status" }, reason),
    h("form", { submit, novalidate: true, class: "panel" },
      h("div", { class: "field" },
        h("label", { for: "admin-key" }, "Admin key"),
        input,
        h("p", { class: "hint", id: "admin-key-hint" },
          "It stays in this page's memory: it is not stored, and it is forgotten when you leave or load the page."),
        wrong),
      button));
}

function sentence(error) {
  if (!(error instanceof Problem)) return "This page made a mistake. Load it again.";
  if (error.status === 401) return "The API doesn't know this key, or no longer accepts it. Check that it was copied whole.";
  return error.message;
}
