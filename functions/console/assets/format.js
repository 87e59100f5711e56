// Numbers, times and what stands for them, in English and UTC, as the API's own times are.

import { h } from "./dom.js";

const NUMBER = new Intl.NumberFormat("en");
const MOMENT = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
});
const DAY = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" });
const CLOCK = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

export const number = (value) => NUMBER.format(value);

/** How many of something: `1 key`, `2 keys`. */
export const count = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;

/** `in 3 days`, `2 hours ago`. */
export function relative(moment) {
  const seconds = (new Date(moment).getTime() - Date.now()) / 1000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return RELATIVE.format(Math.trunc(seconds / length), unit);
}

/** A moment as an element: the date, and how far away it is. `none` is said where there is no moment. */
export function moment(value, none = "never") {
  if (!value) return h("span", { class: "muted" }, none);
  return h("time", { datetime: value, title: relative(value) }, `${MOMENT.format(new Date(value))} UTC`);
}

/** The day of a moment. */
export function day(value, none = "never") {
  if (!value) return h("span", { class: "muted" }, none);
  return h("time", { datetime: value, title: `${MOMENT.format(new Date(value))} UTC` }, DAY.format(new Date(value)));
}

/** A moment to the second, without the year. */
export function clock(value) {
  return h("time", { datetime: value, class: "mono" }, CLOCK.format(new Date(value)));
}

/** The distance to a moment, which is its title. */
export function ago(value, none = "never") {
  if (!value) return h("span", { class: "muted" }, none);
  return h("time", { datetime: value, title: `${MOMENT.format(new Date(value))} UTC` }, relative(value));
}

/** `1 h 5 min`, from seconds. */
export function duration(seconds) {
  const parts = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];
  let rest = Math.max(0, Math.round(seconds));
  const said = [];
  for (const [unit, length] of parts) {
    if (rest >= length && said.length < 2) said.push(`${number(Math.floor(rest / length))} ${unit}`);
    if (said.length < 2) rest %= length;
  }
  return said.join(" ") || "0 s";
}

/** A day of UTC as the API takes it, so many days before today. */
export const isoDay = (before = 0) => new Date(Date.now() - before * 86_400_000).toISOString().slice(0, 10);
