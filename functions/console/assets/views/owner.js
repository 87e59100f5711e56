// An owner: what its keys share, how often they were used, and which they are.

import { fill, h, text } from "../dom.js";
import { get, path, Problem, put } from "../api.js";
import { chart } from "../chart.js";
import { ask } from "../dialog.js";
import { field, select } from "../form.js";
import { count, day, number } from "../format.js";
import { limits } from "../limits.js";
import { part } from "../loading.js";
import { passing } from "../notices.js";
import { limitsField } from "../policy.js";
import { table } from "../table.js";
import { periods, range } from "./usage.js";

const COLUMNS = [
  { label: "Key", cell: ({ key, name }) => h("a", { href: `#/keys/${encodeURIComponent(key)}` }, text(name)), sort: ({ name }) => name },
  { label: "Id", cell: ({ key }) => text(key, "mono") },
  { label: "Allowed", kind: "number", cell: ({ allowed }) => (allowed === null ? "unknown" : number(allowed)), sort: ({ allowed }) => allowed },
];

export function owner({ params, signal }) {
  const { type, id } = params;
  const shared = part(() => sharedLimits(params, () => shared.reload(), signal), signal);
  const chosen = select([["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["12", "12 months"]], "30");
  const used = h("div");
  const draw = () => fill(used, part(() => usage(params, chosen.value, signal), signal));
  chosen.addEventListener("change", draw);
  draw();
  const query = new URLSearchParams({ status: "any", owner_type: type, owner_id: id });
  return h("section", null,
    h("p", { class: "crumb" }, h("a", { href: "#/keys" }, h("span", { "aria-hidden": "true" }, "← "), "All keys")),
    h("div", { class: "head" },
      h("h1", { tabindex: "-1" }, text(`${type}:${id}`)),
      h("div", { class: "buttons" },
        h("a", { class: "button", href: `#/keys?${query}` }, "Its keys"),
        h("a", { class: "button primary", href: `#/issue?${new URLSearchParams({ owner_type: type, owner_id: id })}` }, "Issue a key"))),
    h("section", { class: "panel", "aria-labelledby": "shared" }, h("h2", { id: "shared" }, "Shared limits"), shared),
    h("section", { "aria-labelledby": "usage" },
      h("div", { class: "head" }, h("h2", { id: "usage" }, "Usage"), field("Period", chosen, { kind: "inline" })), used));
}

async function sharedLimits({ type, id }, reload, signal) {
  const place = path`/v1/owners/${type}/${id}/limits`;
  let found = null;
  try {
    found = await get(place, {}, signal);
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.code !== "no_such_limits") throw problem;
  }
  const change = async () => {
    const fields = limitsField(found?.limits ?? []);
    const done = await ask({
      title: "Shared limits",
      action: "Put them",
      content: [h("p", null, "All keys of ", text(`${type}:${id}`), " that share limits count against these, from this moment on."), fields.element],
      send: () => put(place, { limits: fields.read() }),
    });
    if (done === null) return;
    passing("The shared limits are in force.");
    reload();
  };
  return [
    found ? limits(found.limits) : h("p", { class: "muted" }, "None: each key has only its own."),
    found && h("p", { class: "muted" }, "Put ", day(found.put_at), "."),
    h("button", { type: "button", click: change }, found ? "Change them" : "Set some"),
  ];
}

async function usage({ type, id }, value, signal) {
  const answer = { keys: [], usage: new Map(), left_out: [] };
  let cursor = null;
  let last;
  do {
    last = await get(path`/v1/owners/${type}/${id}/usage`, { ...range(value), limit: 100, cursor }, signal);
    answer.keys.push(...last.keys);
    answer.left_out.push(...last.left_out);
    for (const entry of last.usage) {
      const name = entry[last.granularity];
      answer.usage.set(name, (answer.usage.get(name) ?? 0) + entry.allowed);
    }
    cursor = last.next_cursor;
  } while (cursor);
  const sums = [...answer.usage].map(([name, allowed]) => ({ [last.granularity]: name, allowed }));
  const all = periods({ ...last, usage: sums }).map(({ label, allowed = 0 }) => ({ label, allowed }));
  const total = all.reduce((sum, { allowed }) => sum + allowed, 0);
  const sentence = `${count(total, "request")} allowed with ${count(answer.keys.length, "key")} from ${last.from} to ${last.to}.`;
  return [
    h("div", { class: "panel" }, chart(all, { sentence, unit: last.granularity })),
    last.from < last.complete_from && h("p", { class: "muted" }, `Keys that ended before ${last.complete_from} may be missing.`),
    answer.left_out.length > 0 && h("p", { class: "callout warn" }, `The usage of ${answer.left_out.join(", ")} can't be told: what is stored of it is damaged.`),
    table({ caption: "Uses by key", columns: COLUMNS }).show(answer.keys),
  ];
}
