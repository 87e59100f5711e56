// Limits, and what is left of them.

import { h } from "./dom.js";
import { duration, number } from "./format.js";

/** A list of limits with what is left of each as a meter. */
export function limits(values) {
  if (values.length === 0) return h("p", { class: "muted" }, "None.");
  return h("ul", { class: "limits" }, values.map(({ requests, per, remaining, resets_in_seconds: seconds }) => {
    const label = `${number(requests)} per ${per}`;
    const left = remaining === undefined ? null : `${number(remaining)} left, begins anew in ${duration(seconds)}`;
    const meter = remaining !== undefined && h("meter", {
      min: 0, max: requests, value: remaining, low: requests / 10, optimum: requests, "aria-label": `Left of ${label}`,
    }, left);
    return h("li", null, h("p", null, h("strong", null, label), left && h("span", { class: "muted" }, left)), meter);
  }));
}
