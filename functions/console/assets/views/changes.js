// What was changed on a day, by whom, and whether it came to an end.

import { fill, h, text, visible } from "../dom.js";
import { get } from "../api.js";
import { field, input } from "../form.js";
import { clock, isoDay } from "../format.js";
import { pages } from "../pages.js";
import { note } from "../router.js";
import { table } from "../table.js";
import { actor } from "./overview.js";

const COLUMNS = [
  { label: "Time (UTC)", kind: "when", cell: ({ at }) => clock(at) },
  { label: "Action", kind: "nowrap", cell: ({ action }) => text(action.replaceAll("_", " ")) },
  { label: "Of", kind: "nowrap", cell: target },
  { label: "By", kind: "nowrap", cell: (change) => actor(change.actor) },
  { label: "Outcome", cell: ({ outcome }) => h("span", { class: `badge ${outcome === "done" ? "good" : "warn"}` }, outcome === "done" ? "✓ " : "! ", visible(outcome.replaceAll("_", " "))) },
  { label: "What", kind: "long", cell: ({ detail }) => what(detail) },
];

export function changes({ query, signal }) {
  const day = input("date", { max: isoDay() });
  day.value = query.get("day") ?? isoDay();
  const holder = h("div");
  const draw = () => fill(holder, pages({
    signal,
    noun: "change",
    nothing: "Nothing was changed on that day.",
    show: (rows) => table({ caption: "Changes", columns: COLUMNS }).show(rows),
    async read(cursor) {
      const page = await get("/v1/audit", { day: day.value || isoDay(), limit: 50, cursor }, signal);
      return { rows: page.changes, next: page.next_cursor };
    },
  }));
  day.addEventListener("change", () => {
    note({ day: day.value === isoDay() ? "" : day.value });
    draw();
  });
  draw();
  return h("section", null,
    h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Changes"), field("Day (UTC)", day, { kind: "inline" })),
    holder);
}

function target({ key, plan, owner }) {
  if (key) return h("a", { href: `#/keys/${encodeURIComponent(key)}`, class: "mono" }, `${key.slice(0, 10)}…`);
  return text(plan ? `plan ${plan}` : owner ? `limits of ${owner}` : "");
}

/** What was and what is, for those who want to know. */
function what(detail) {
  if (!detail || Object.keys(detail).length === 0) return "";
  const { before, after } = detail;
  const names = Object.keys(after ?? before ?? {});
  const summary = names.length > 0 ? names.map((name) => name.replaceAll("_", " ")).join(", ") : Object.keys(detail).join(", ");
  const lines = JSON.stringify(detail, null, 2).split("\n").map((line) => [visible(line), "\n"]);
  return h("details", null, h("summary", null, visible(summary)), h("pre", { tabindex: "0", "aria-label": "Detail" }, h("code", null, lines)));
}
