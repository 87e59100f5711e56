// How often a key was used, by day or month.

import { fill, h, visible } from "../dom.js";
import { get, path } from "../api.js";
import { chart } from "../chart.js";
import { field, select } from "../form.js";
import { count, isoDay, number } from "../format.js";
import { part } from "../loading.js";

const RANGES = [["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["12", "12 months"]];

/** The query of a range: so many days, or the months of about a year. */
export function range(value) {
  if (value === "12") return { from: `${isoDay(334).slice(0, 7)}-01`, to: isoDay(), granularity: "month" };
  return { from: isoDay(Number(value) - 1), to: isoDay(), granularity: "day" };
}

/** Every period of an answer, also those of which it says nothing. */
export function periods({ from, to, granularity, usage }) {
  const known = new Map(usage.map((entry) => [entry[granularity], entry]));
  const names = [];
  const last = granularity === "month" ? to.slice(0, 7) : to;
  for (let date = new Date(`${from}T00:00:00Z`); ; ) {
    const name = date.toISOString().slice(0, granularity === "month" ? 7 : 10);
    if (name > last) break;
    names.push(name);
    if (granularity === "month") date.setUTCMonth(date.getUTCMonth() + 1, 1);
    else date.setUTCDate(date.getUTCDate() + 1);
  }
  return names.map((label) => ({ label, ...known.get(label) }));
}

export function usage(key, { signal }) {
  const chosen = select(RANGES, "30");
  const holder = h("div");
  const draw = () => fill(holder, part(() => load(key, chosen.value, signal), signal));
  chosen.addEventListener("change", draw);
  draw();
  return [h("div", { class: "head" }, h("h2", null, "Usage"), field("Period", chosen, { kind: "inline" })), holder];
}

async function load(key, value, signal) {
  const answer = await get(path`/v1/keys/${key.id}/usage`, range(value), signal);
  const all = periods(answer).map(({ label, allowed = 0, refused = {} }) => ({ label, allowed, refused: sum(refused) }));
  const refused = Object.entries(answer.total.refused);
  const { label } = all.reduce((most, period) => (period.allowed > most.allowed ? period : most), { label: null, allowed: 0 });
  const sentence = `${number(answer.total.allowed)} allowed and ${number(sum(answer.total.refused))} refused from ${answer.from} to ${answer.to}`
    + `${label ? `, most of them on ${label}` : ""}.`;
  return [
    h("div", { class: "panel" }, chart(all, { sentence, unit: answer.granularity })),
    h("p", { class: "muted" }, "What was allowed is counted to the one. Refusals are counted from copies of the audit, and may lag.",
      answer.refusals_cut_off && " There are more refusals than could be counted."),
    refused.length > 0 && h("ul", { class: "plain" }, refused.sort(([, a], [, b]) => b - a).map(([code, times]) =>
      h("li", null, h("span", { class: "mono" }, visible(code)), `: ${count(times, "refusal")}`))),
  ];
}

const sum = (refused) => Object.values(refused).reduce((all, times) => all + times, 0);
