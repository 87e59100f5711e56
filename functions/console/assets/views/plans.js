// Plans: what keys are issued with.

import { h, text } from "../dom.js";
import { get } from "../api.js";
import * as badges from "../badges.js";
import { count, day, number } from "../format.js";
import { pages } from "../pages.js";
import { table } from "../table.js";
import { actor } from "./overview.js";

const COLUMNS = [
  { label: "Name", cell: ({ name }) => text(name), sort: ({ name }) => name },
  { label: "Scopes", cell: ({ scopes }) => badges.scopes(scopes) },
  { label: "Limits", cell: ({ limits }) => (limits.length ? limits.map(({ requests, per }) => `${number(requests)} per ${per}`).join(", ") : "none") },
  { label: "Rotation", cell: ({ rotate_every_days: days }) => (days ? `every ${count(days, "day")}` : "none") },
  { label: "Put", kind: "when", cell: ({ put_at: at }) => day(at), sort: ({ put_at: at }) => at },
  { label: "By", cell: ({ put_by: by }) => actor(by) },
];

export function plans({ signal }) {
  const shown = table({ caption: "Plans", columns: COLUMNS });
  return h("section", null,
    h("h1", { tabindex: "-1" }, "Plans"),
    h("p", { class: "muted" }, "What a new key is given, unless its order says otherwise. A key has its own copy: changing a plan changes no key."),
    pages({
      signal,
      noun: "plan",
      nothing: "There are no plans yet. PUT /v1/plans/{name} makes one.",
      show: (rows) => shown.show(rows),
      async read(cursor) {
        const page = await get("/v1/plans", { limit: 100, cursor }, signal);
        return { rows: page.plans, next: page.next_cursor };
      },
    }));
}
