// Questions that have to be answered first, as native dialogs: the focus stays in them, and goes back to where it was.

import { h, fill, text } from "./dom.js";
import { failure } from "./loading.js";
import { Problem } from "./api.js";
import { showProblem } from "./form.js";

const open = new Set();

/** Opens a dialog with that content, and resolves when it is closed, with what `close` was given. */
export function dialog({ title, content, kind = "", dismissable = () => true }) {
  const before = document.activeElement;
  const { promise, resolve } = Promise.withResolvers?.() ?? deferred();
  const id = `dialog-${crypto.randomUUID()}`;
  let answer = null;
  let closing = false;
  const element = h("dialog", {
    class: kind, "aria-labelledby": id,
    cancel: (event) => { if (!dismissable()) event.preventDefault(); },
    close: () => {
      // Pressed twice, Escape closes a dialog without asking.
      if (!closing && !dismissable()) { element.showModal(); return; }
      open.delete(entry);
      element.replaceChildren();
      element.remove();
      const heading = document.querySelector("#main h1");
      (before?.isConnected && before !== document.body ? before : heading)?.focus();
      resolve(answer);
    },
  }, h("h2", { id }, text(title)));
  const close = (value = null) => {
    answer = value;
    closing = true;
    element.close();
  };
  const entry = { close };
  open.add(entry);
  element.append(...[content(close)].flat(Infinity).filter(Boolean));
  document.body.append(element);
  element.showModal();
  return promise;
}

/** Closes whatever is open: whoever is signed out must not leave anything on the screen. */
export function closeAll() {
  for (const entry of [...open]) entry.close();
}

/**
 * A dialog with fields. `send` gets none of its own: it does what is to be done, and what it returns is the answer. A problem stays
 * in the dialog, at its field.
 */
export function ask({ title, content, action, danger = false, send, ready = () => true, recover = null }) {
  return dialog({
    title,
    kind: danger ? "danger" : "",
    content: (close) => {
      const button = h("button", { type: "submit", class: danger ? "danger" : "primary" }, action);
      const wrong = h("div", { class: "wrong" });
      let busy = false;
      const form = h("form", {
        novalidate: true,
        input: () => { button.disabled = !ready(); },
        submit: async (event) => {
          event.preventDefault();
          if (busy || !ready()) return;
          [busy, button.disabled] = [true, true];
          fill(wrong);
          try {
            close(await send());
          } catch (problem) {
            if (form.isConnected) report(form, wrong, problem, close, recover);
          } finally {
            [busy, button.disabled] = [false, !ready()];
          }
        },
      }, content, wrong, h("div", { class: "actions" },
        button, h("button", { type: "button", click: () => close() }, "Cancel")));
      button.disabled = !ready();
      return form;
    },
  });
}

function report(form, wrong, problem, close, recover) {
  if (problem instanceof Problem && showProblem(form, problem)) return;
  fill(wrong, failure(problem));
  if (problem.status === 412 && recover) {
    wrong.firstChild.append(h("button", { type: "button", click: () => { close(); recover(); } }, "Load the key again"));
  }
}

function deferred() {
  let resolve;
  const promise = new Promise((done) => { resolve = done; });
  return { promise, resolve };
}
