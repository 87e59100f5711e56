// Uses over time as bars: what was allowed is filled, what was refused hatched on top of it. The same numbers are a table below.

import { h, s, fill } from "./dom.js";
import { number } from "./format.js";
import { table } from "./table.js";

const HEIGHT = 220;
const MARGIN = { top: 12, right: 4, bottom: 26, left: 46 };

/** A chart of `[{ label, allowed, refused }]`, with a sentence that says what it shows. */
export function chart(periods, { sentence, unit }) {
  const svg = s("svg", { class: "chart", role: "img", "aria-label": sentence, height: HEIGHT });
  const holder = h("div", { class: "plot" }, svg);
  const refusals = periods.some((period) => period.refused > 0);
  const numbers = table({
    caption: `Uses by ${unit}`,
    columns: [
      { label: unit === "day" ? "Day" : "Month", cell: (period) => period.label, sort: (period) => period.label },
      { label: "Allowed", kind: "number", cell: (period) => number(period.allowed), sort: (period) => period.allowed },
      ...(periods.some((period) => period.refused !== undefined)
        ? [{ label: "Refused", kind: "number", cell: (period) => number(period.refused), sort: (period) => period.refused }]
        : []),
    ],
  }).show(periods);
  new ResizeObserver(() => draw(svg, periods, Math.max(240, holder.clientWidth))).observe(holder);
  return h("figure", { class: "figure" },
    h("figcaption", null, sentence),
    holder,
    h("p", { class: "legend", "aria-hidden": "true" },
      h("span", { class: "swatch allowed" }), "allowed", refusals && [h("span", { class: "swatch refused" }), "refused"]),
    h("details", null, h("summary", null, "The numbers as a table"), numbers));
}

function draw(svg, periods, width) {
  const top = nice(Math.max(1, ...periods.map((period) => period.allowed + (period.refused ?? 0))));
  const plot = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const y = (value) => MARGIN.top + plot.height * (1 - value / top);
  const step = plot.width / Math.max(1, periods.length);
  const bar = Math.max(2, Math.min(44, step * 0.72));
  const every = Math.ceil(periods.length / Math.max(2, Math.floor(plot.width / 64)));
  svg.setAttribute("width", width);
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  const lines = [0, top / 2, top].map((value) => [
    s("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) }),
    s("text", { class: "tick", x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, short(value)),
  ]);
  const bars = periods.map((period, index) => {
    const x = MARGIN.left + step * index + (step - bar) / 2;
    const refused = period.refused ?? 0;
    const title = s("title", null, `${period.label}: ${number(period.allowed)} allowed, ${number(refused)} refused`);
    const rect = (kind, from, to) => to > from
      && s("rect", { class: kind, x, y: y(to), width: bar, height: Math.max(1, y(from) - y(to)), rx: 1.5 });
    // Counted from the newest, whose label is the one that people look for.
    const label = (periods.length - 1 - index) % every === 0
      && s("text", { class: "tick", x: x + bar / 2, y: HEIGHT - 8, "text-anchor": "middle" }, period.label.slice(5));
    const area = s("rect", { class: "area", x: MARGIN.left + step * index, y: MARGIN.top, width: step, height: plot.height });
    return s("g", null, title, area, rect("allowed", 0, period.allowed), rect("refused", period.allowed, period.allowed + refused), label);
  });
  fill(svg, hatch(), lines, bars);
}

function hatch() {
  return s("defs", null,
    s("pattern", { id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      s("rect", { class: "hatch-ground", width: 5, height: 5 }), s("rect", { class: "hatch-line", width: 2.5, height: 5 })));
}

/** The next number of which the half is a whole one too. */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const factors = power === 1 ? [2, 4, 6, 8, 10] : [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10];
  return factors.find((factor) => factor * power >= value) * power;
}

function short(value) {
  if (value >= 1_000_000) return `${value / 1_000_000} M`;
  return value >= 10_000 ? `${value / 1_000} k` : number(value);
}
