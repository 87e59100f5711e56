// Everything that the API says of a key.

import { h, text, visible } from "../dom.js";
import * as badges from "../badges.js";
import { ago, count, duration, moment, number } from "../format.js";
import { limits } from "../limits.js";
import { who } from "../session.js";
import { table } from "../table.js";

const GENERATIONS = [
  { label: "Secret", cell: ({ number: n, hint }) => [`${n} `, text(hint ?? "", "mono")] },
  { label: "State", cell: state },
  { label: "Uses", kind: "number", cell: ({ uses }) => number(uses) },
  { label: "Created", kind: "when", cell: ({ created_at: at }) => moment(at, "unknown") },
  { label: "By", cell: ({ created_by: by }) => actor(by) },
  { label: "Expires", kind: "when", cell: ({ expires_at: at }) => moment(at) },
];

const USERS = [
  { label: "Address", cell: ({ source_ip: ip }) => text(ip ?? "unknown", "mono") },
  { label: "User agent", cell: ({ user_agent: agent }) => text(agent ?? "none") },
  { label: "Uses", kind: "number", cell: ({ uses }) => number(uses), sort: ({ uses }) => uses },
  { label: "Last", kind: "when", cell: ({ last_used_at: at }) => ago(at), sort: ({ last_used_at: at }) => at },
];

export function overview(key) {
  return [
    key.revocation && h("div", { class: "callout bad" }, h("p", null, h("strong", null, "Revoked for good "), moment(key.revocation.at),
      " by ", actor(key.revocation.by), ": ", text(key.revocation.reason))),
    key.status === "disabled" && h("div", { class: "callout warn" }, h("p", null, h("strong", null, "Switched off. "), "Every request with it is refused until it is enabled.")),
    h("div", { class: "columns" },
      h("section", { class: "panel", "aria-labelledby": "about" }, h("h2", { id: "about" }, "About"), facts(key)),
      h("section", { class: "panel", "aria-labelledby": "limits" }, h("h2", { id: "limits" }, "Limits"), limits(key.limits),
        key.shared_limits && h("p", { class: "muted" }, "Its uses count against ",
          h("a", { href: `#/owners/${encodeURIComponent(key.owner.type)}/${encodeURIComponent(key.owner.id)}` }, "its owner's shared limits"), " too."),
        h("h2", null, "Scopes"), badges.scopes(key.scopes),
        h("h2", null, "IP allowlist"), key.ip_allowlist.length ? badges.scopes(key.ip_allowlist) : h("p", { class: "muted" }, "From anywhere."),
        h("h2", null, "Metadata"), metadata(key.metadata))),
    h("section", { "aria-labelledby": "secrets" }, h("h2", { id: "secrets" }, "Secrets"),
      table({ caption: "Secrets of this key", columns: GENERATIONS }).show([...key.generations].reverse())),
    key.old_secret && oldSecret(key.old_secret),
  ];
}

function facts(key) {
  const due = key.rotate_every_days && `every ${count(key.rotate_every_days, "day")}`;
  const rows = [
    ["Owner", badges.owner(key.owner)],
    ["Plan", key.plan ? text(key.plan) : h("span", { class: "muted" }, "none")],
    ["Used", `${count(key.total_uses, "time")}`],
    ["Last used", key.last_used_at ? [moment(key.last_used_at), h("span", { class: "muted" }, ` ${ago(key.last_used_at).textContent}`)] : moment(null)],
    ["Created", [moment(key.created_at), " by ", actor(key.created_by)]],
    ["Expires", moment(key.expires_at)],
    ["Rotation", due || h("span", { class: "muted" }, "when somebody does it")],
    ["Version", number(key.version)],
  ];
  return h("dl", { class: "facts" }, rows.map(([label, value]) => h("div", null, h("dt", null, label), h("dd", null, value))));
}

function state(generation) {
  if (!generation.live) return h("span", { class: "badge plain" }, "ended");
  if (generation.until_first_use) return h("span", { class: "badge warn" }, "works until the new one is used");
  if (generation.grace_ends_at) {
    const seconds = (new Date(generation.grace_ends_at) - Date.now()) / 1000;
    return h("span", { class: "badge warn", title: generation.grace_ends_at }, `replaced, works for ${duration(seconds)} more`);
  }
  return h("span", { class: "badge good" }, "works");
}

function oldSecret(old) {
  return h("section", { "aria-labelledby": "old" },
    h("h2", { id: "old" }, `Who still uses secret ${old.generation}`),
    h("p", { class: "muted" }, `${count(old.uses, "use")} since it was replaced.`, old.complete ? "" : " More than could be looked through: there may be others."),
    old.used_by.length > 0
      ? table({ caption: "Users of the old secret", columns: USERS }).show(old.used_by)
      : h("p", null, "Nobody."));
}

function metadata(value) {
  if (Object.keys(value).length === 0) return h("p", { class: "muted" }, "None.");
  const lines = JSON.stringify(value, null, 2).split("\n").map((line) => [visible(line), "\n"]);
  return h("pre", { tabindex: "0", "aria-label": "Metadata" }, h("code", null, lines));
}

/** Who did something: a key, or somebody with the permission to invoke the function. */
export function actor(value) {
  if (value && value === who()?.id) return "you";
  if (value === "iam") return "AWS permission";
  return value?.startsWith("key_") ? h("a", { href: `#/keys/${encodeURIComponent(value)}`, class: "mono" }, `${value.slice(0, 10)}…`) : text(value ?? "unknown");
}

