// The fields of what a key may do, for issuing and for changing one: scopes, limits, addresses, ends.

import { h } from "./dom.js";
import { checkbox, field, group, input, select, unlabelled } from "./form.js";

const NAMED = {
  read: "GET, HEAD, OPTIONS",
  write: "POST, PUT, PATCH",
  delete: "DELETE",
  admin: "everything, and the management API",
  "self:rotate": "may give itself a new secret",
};
const PERIODS = ["second", "minute", "hour", "day", "month"];

/** Rows that can be added and removed. `make(value)` gives `{ element, value() }`, whose value is undefined for an empty row. */
function rows(make, values, add) {
  const list = h("div", { class: "rows" });
  let all = [];
  const append = (value, focus) => {
    const row = make(value);
    const remove = () => {
      all = all.filter((other) => other !== row);
      holder.remove();
      button.focus();
      list.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const holder = h("div", { class: "row" }, row.element,
      h("button", { type: "button", class: "quiet", click: remove, "aria-label": `Remove this ${add.noun}` }, "Remove"));
    all.push(row);
    list.append(holder);
    if (focus) holder.querySelector("input, select").focus();
  };
  const button = h("button", { type: "button", class: "quiet", click: () => append(undefined, true) }, add.label);
  values.forEach((value) => append(value, false));
  return { element: [list, button], filled: () => all.filter((row) => row.value() !== undefined) };
}

export function scopesField(values) {
  const boxes = Object.entries(NAMED).map(([scope, what]) => {
    const label = [h("span", { class: "mono" }, scope), h("span", { class: "muted" }, ` ${what}`)];
    return { scope, ...checkbox(label, values.includes(scope)) };
  });
  const own = rows((value) => {
    const control = unlabelled("Endpoint", input("text", { placeholder: "GET /reports/{id}", class: "mono" }));
    control.value = value ?? "";
    return { element: control, control, value: () => control.value.trim() || undefined };
  }, values.filter((scope) => !(scope in NAMED)), { noun: "endpoint", label: "Add an endpoint" });
  const read = () => {
    const named = boxes.filter(({ box }) => box.checked).map(({ scope, box }) => [scope, box]);
    const all = [...named, ...own.filled().map((row) => [row.value(), row.control])];
    all.forEach(([, control], index) => { control.dataset.path = `scopes[${index}]`; });
    return all.map(([scope]) => scope);
  };
  const element = group("Scopes", "scopes", "What the key may do. Endpoints are a method, or ANY, and a path: {id} is one part of it, {*rest} all that follow.",
    h("div", { class: "checks" }, boxes.map(({ element }) => element)), own.element);
  return { element, read };
}

export function limitsField(values) {
  const own = rows((value) => {
    const requests = unlabelled("Requests", input("number", { min: 1, step: 1, inputmode: "numeric", placeholder: "1000" }));
    const per = unlabelled("Period", select(PERIODS.map((period) => [period, `per ${period}`]), value?.per ?? "minute"));
    requests.value = value?.requests ?? "";
    const read = () => (requests.value === "" ? undefined : { requests: Number(requests.value), per: per.value });
    return { element: [requests, per], requests, per, value: read };
  }, values, { noun: "limit", label: "Add a limit" });
  const read = () => own.filled().map((row, index) => {
    row.requests.dataset.path = `limits[${index}].requests`;
    row.per.dataset.path = `limits[${index}].per`;
    return row.value();
  });
  const element = group("Limits", "limits", "At most one for each period; periods are those of UTC. None is no limit.", own.element);
  return { element, read };
}

export function addressesField(values) {
  const control = h("textarea", { rows: 2, spellcheck: "false", class: "mono", placeholder: "203.0.113.0/24" });
  control.value = values.join("\n");
  const read = () => control.value.split(/[\s,]+/).filter(Boolean);
  const hint = "Addresses and networks, one a line. None is from anywhere.";
  return { element: field("IP allowlist", control, { path: "ip_allowlist", hint }), read };
}

export function sharingField(value) {
  const { box, element } = checkbox("Counts against its owner's shared limits too", value);
  return { element: h("div", { class: "field", "data-path": "shared_limits" }, element, h("p", { class: "error" })), read: () => box.checked };
}

export function expiryField(value) {
  const control = input("datetime-local");
  control.value = value ? value.slice(0, 16) : "";
  const read = () => {
    // Seconds that the field doesn't show stay as they are.
    if (value && control.value === value.slice(0, 16)) return value;
    return control.value ? `${control.value.slice(0, 16)}:00Z` : null;
  };
  return { element: field("Expires", control, { path: "expires_at", hint: "UTC. Without it, the secret never ends." }), read };
}

export function rotationField(value) {
  const control = input("number", { min: 1, max: 3650, step: 1, inputmode: "numeric" });
  control.value = value ?? "";
  const read = () => (control.value === "" ? null : Number(control.value));
  return { element: field("Rotate every … days", control, { path: "rotate_every_days", hint: "When a new secret is due." }), read };
}

export function metadataField(value) {
  const control = h("textarea", { rows: 3, spellcheck: "false", class: "mono" });
  control.value = Object.keys(value).length ? JSON.stringify(value, null, 2) : "";
  control.placeholder = '{"team": "data"}';
  const read = () => {
    if (control.value.trim() === "") return {};
    try {
      return JSON.parse(control.value);
    } catch {
      throw Object.assign(new Error("must be JSON, such as {\"team\": \"data\"}"), { field: "metadata" });
    }
  };
  return { element: field("Metadata", control, { path: "metadata", hint: "A JSON object, up to 4 KB." }), read };
}
