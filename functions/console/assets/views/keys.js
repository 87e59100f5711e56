// All keys: filters that the API knows, a search in what it has shown so far, and how much that is.

import { fill, h, text } from "../dom.js";
import * as badges from "../badges.js";
import { field, input, select } from "../form.js";
import { count, day, number } from "../format.js";
import { empty, failure } from "../loading.js";
import { announce } from "../notices.js";
import { note } from "../router.js";
import { listing, matches } from "../sources.js";
import { table } from "../table.js";

const COLUMNS = [
  { label: "Name", cell: (key) => h("a", { href: `#/keys/${key.id}` }, text(key.name)), sort: (key) => key.name },
  { label: "Owner", cell: (key) => badges.owner(key.owner), sort: (key) => `${key.owner.type}:${key.owner.id}` },
  { label: "Status", cell: (key) => badges.status(key.status), sort: (key) => key.status },
  { label: "Environment", cell: (key) => badges.environment(key.environment), sort: (key) => key.environment },
  { label: "Secret", cell: (key) => text(key.hint ?? "", "mono") },
  { label: "Created", kind: "when", cell: (key) => day(key.created_at), sort: (key) => key.created_at },
  { label: "Expires", kind: "when", cell: (key) => day(key.expires_at), sort: (key) => key.expires_at },
];

// What was searched for stays out of the address: it may be a secret.
let searched = "";

export function keys({ query, signal }) {
  const environment = select([["", "any"], ["live", "live"], ["test", "test"]], query.get("environment") ?? "");
  const statuses = [["", "any"], ["active", "active"], ["disabled", "disabled"], ["revoked", "revoked"]];
  const status = select(statuses, query.get("status") ?? "active");
  const type = select([["user", "user"], ["service", "service"]], query.get("owner_type") ?? "user");
  const id = input("text", { value: query.get("owner_id") ?? "", placeholder: "any" });
  const search = input("search", { value: searched, "data-search": "", placeholder: "Name, id, owner, or the beginning of a secret" });
  const shown = table({ caption: "Keys", columns: COLUMNS });
  const summary = h("p", { class: "summary", role: "status" });
  const more = h("button", { type: "button", click: () => load() }, "Load more");
  const body = h("div", { class: "part", "aria-busy": "true" }, h("p", { class: "loading" }, "Loading keys…"));
  let list = null;
  let turn = 0;

  async function begin() {
    list = listing({ environment: environment.value, status: status.value, type: type.value, id: id.value.trim() }, signal);
    await load();
  }

  async function load() {
    const mine = (turn += 1);
    const asked = list;
    body.setAttribute("aria-busy", "true");
    more.disabled = true;
    try {
      await asked.next();
      if (mine === turn && !signal.aborted) draw();
    } catch (error) {
      if (mine === turn && !signal.aborted) fill(body, failure(error, load));
    } finally {
      if (mine === turn) {
        body.removeAttribute("aria-busy");
        more.disabled = false;
      }
    }
  }

  function draw() {
    const all = list.keys();
    const found = all.filter((key) => matches(key, search.value));
    const rest = list.more() ? " There are more that aren't loaded yet." : " These are all.";
    const sentence = search.value.trim()
      ? `${count(found.length, "key")} of the ${number(all.length)} loaded ${found.length === 1 ? "matches" : "match"}.${list.more() ? " Keys that aren't loaded yet were not searched." : ""}`
      : `${count(all.length, "key")} loaded.${rest}`;
    fill(summary, sentence);
    more.hidden = !list.more();
    if (found.length > 0) fill(body, shown.show(found));
    else if (search.value.trim()) fill(body, empty("No loaded key matches the search."));
    else fill(body, empty("There is no such key.", h("p", null, h("a", { class: "button primary", href: "#/issue" }, "Issue a key"))));
  }

  const changed = () => {
    note({
      environment: environment.value, status: status.value === "active" ? "" : status.value || "any",
      owner_type: id.value.trim() && type.value, owner_id: id.value.trim(),
    });
    begin();
  };
  if (query.get("status") === "any") status.value = "";
  let timer = 0;
  search.addEventListener("input", () => {
    searched = search.value;
    clearTimeout(timer);
    timer = setTimeout(() => { if (list && !signal.aborted) draw(); }, 120);
  });
  for (const control of [environment, status, id]) control.addEventListener("change", changed);
  type.addEventListener("change", () => { if (id.value.trim()) changed(); });
  signal.addEventListener("abort", () => clearTimeout(timer));
  begin();
  return h("section", null,
    h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Keys"), h("a", { class: "button primary", href: "#/issue" }, "Issue a key")),
    h("form", { class: "filters", role: "search", submit: (event) => { event.preventDefault(); announce(summary.textContent); } },
      field("Search", search, { kind: "grow" }),
      field("Status", status), field("Environment", environment), field("Owner type", type), field("Owner id", id)),
    summary, body, h("p", { class: "more" }, more));
}

/** Forgets the search: it belongs to whoever was signed in. */
export function forget() {
  searched = "";
}
