// What can be done with a key. Every change is confirmed first, and says what it will do.

import { h, text } from "./dom.js";
import { idempotency, path, post } from "./api.js";
import { ask } from "./dialog.js";
import { checkbox, field, input, select } from "./form.js";
import { passing } from "./notices.js";
import { showSecret } from "./secret.js";

const HOUR = 3_600;
const GRACES = [
  ["", "as this stack has it by default"], [0, "none: the old secret ends now"], [HOUR, "1 hour"], [24 * HOUR, "1 day"],
  [7 * 24 * HOUR, "7 days"], [30 * 24 * HOUR, "30 days"],
];

/** The buttons of a key. `reload` shows it anew. */
export function buttons(key, reload) {
  if (key.status === "revoked") return [];
  const button = (label, act, kind = "") => h("button", { type: "button", class: kind, click: () => act(key, reload) }, label);
  return [
    button("Rotate", rotate),
    h("a", { class: "button", href: `#/keys/${key.id}/edit` }, "Change"),
    key.status === "active" ? button("Disable", disable) : button("Enable", enable),
    button("Revoke", revoke, "danger"),
  ];
}

async function rotate(key, reload) {
  const grace = select(GRACES, "");
  const first = checkbox("End the old secret as soon as the new one is used", false);
  const force = checkbox("Rotate even if the secrets of the last two rotations are both in use: the oldest ends now", false);
  const idempotencyFor = idempotency();
  const document = await ask({
    title: "Rotate this key",
    action: "Rotate",
    recover: reload,
    content: [
      h("p", null, text(key.name), " gets a new secret. Its id, its limits and its counts stay."),
      field("The old secret works on for", grace, { path: "grace_seconds" }),
      h("div", { class: "field", "data-path": "until_first_use" }, first.element, h("p", { class: "error" })),
      h("div", { class: "field", "data-path": "force" }, force.element, h("p", { class: "error" })),
    ],
    send: () => {
      const body = {
        ...(grace.value !== "" && { grace_seconds: Number(grace.value) }),
        ...(first.box.checked && { until_first_use: true }),
        ...(force.box.checked && { force: true }),
      };
      return post(path`/v1/keys/${key.id}/rotate`, body, { ifMatch: key.version, idempotencyKey: idempotencyFor(body) });
    },
  });
  if (document === null) return;
  await showSecret(document, `The new secret of ${key.name}`);
  await reload();
}

async function disable(key, reload) {
  const done = await ask({
    title: "Disable this key?",
    action: "Disable",
    content: h("p", null, "Every request with ", text(key.name), " is refused, from the next one on, until somebody enables it again."),
    send: () => post(path`/v1/keys/${key.id}/disable`, {}),
  });
  if (done === null) return;
  passing("The key is disabled.");
  await reload();
}

async function enable(key, reload) {
  const done = await ask({
    title: "Enable this key?",
    action: "Enable",
    recover: reload,
    content: h("p", null, "Requests with ", text(key.name), " are let in again, as far as its scopes and limits allow."),
    send: () => post(path`/v1/keys/${key.id}/enable`, {}, { ifMatch: key.version }),
  });
  if (done === null) return;
  passing("The key is enabled.");
  await reload();
}

async function revoke(key, reload) {
  const name = input("text");
  const reason = input("text", { maxlength: 256 });
  const done = await ask({
    title: "Revoke this key for good?",
    action: "Revoke for good",
    danger: true,
    ready: () => name.value.trim() === key.name.trim() && reason.value.trim() !== "",
    content: [
      h("p", null, "Every request with ", text(key.name), " is refused from the next one on. This can't be undone: who needs it gets another key."),
      field("Reason", reason, { path: "reason", required: true, hint: "It is kept with the key, and in the audit." }),
      field(["Type ", h("strong", { class: "mono" }, text(key.name)), " to confirm"], name),
    ],
    send: () => post(path`/v1/keys/${key.id}/revoke`, { reason: reason.value }),
  });
  if (done === null) return;
  passing("The key is revoked.");
  await reload();
}
