// Statuses and outcomes as words with a sign: nothing is said by colour alone.

import { h, text, visible } from "./dom.js";

const STATUS = { active: ["●", "good"], disabled: ["❙❙", "warn"], revoked: ["✕", "bad"] };

export function status(value) {
  const [sign, kind] = STATUS[value] ?? ["?", "plain"];
  return h("span", { class: `badge ${kind}` }, h("span", { "aria-hidden": "true" }, sign), " ", visible(value));
}

export function environment(value) {
  return h("span", { class: "badge plain" }, visible(value));
}

/** The outcome of an attempt: `allowed`, or the code of a refusal. */
export function outcome(value) {
  const good = value === "allowed";
  const sign = h("span", { "aria-hidden": "true" }, good ? "✓" : "✕");
  return h("span", { class: `badge ${good ? "good" : "bad"}` }, sign, " ", visible(String(value).replaceAll("_", " ")));
}

export function scopes(values) {
  return h("ul", { class: "tags" }, values.map((value) => h("li", null, text(value, "mono"))));
}

export function owner({ type, id }) {
  const href = `#/owners/${encodeURIComponent(type)}/${encodeURIComponent(id)}`;
  return h("a", { href }, text(`${type}:${id}`));
}
