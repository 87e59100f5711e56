// Fields with a label, a hint and a place for what the API says of them. A field knows the API's name of it in `data-path`.

import { h, fill } from "./dom.js";

let counter = 0;

/** A field around `control`. */
export function field(label, control, { path, hint, required = false, kind = "" } = {}) {
  counter += 1;
  const id = `field-${counter}`;
  control.id = id;
  const described = hint ? `${id}-hint ${id}-error` : `${id}-error`;
  control.setAttribute("aria-describedby", described);
  if (required) control.required = true;
  return h("div", { class: `field ${kind}`, "data-path": path },
    h("label", { for: id }, label, required && h("span", { class: "muted" }, " (required)")),
    control,
    hint && h("p", { class: "hint", id: `${id}-hint` }, hint),
    h("p", { class: "error", id: `${id}-error` }));
}

/** Several controls under one name. */
export function group(legend, path, hint, ...content) {
  counter += 1;
  const error = `field-${counter}-error`;
  return h("fieldset", { "data-path": path, "aria-describedby": error },
    h("legend", null, legend), hint && h("p", { class: "hint" }, hint), content, h("p", { class: "error", id: error }));
}

/** A control without a visible label, for rows that have a heading. */
export function unlabelled(label, control, path) {
  control.setAttribute("aria-label", label);
  if (path) control.dataset.path = path;
  return control;
}

export const input = (type, attributes) => h("input", { type, autocomplete: "off", spellcheck: "false", ...attributes });

export function select(options, chosen, attributes) {
  const element = h("select", attributes, options.map(([value, label]) => h("option", { value }, label)));
  element.value = chosen;
  return element;
}

export function checkbox(label, checked, attributes) {
  const box = h("input", { type: "checkbox", ...attributes });
  box.checked = checked;
  return { box, element: h("label", { class: "check" }, box, " ", label) };
}

/** Takes away what the API said before. */
export function clearProblems(form) {
  for (const invalid of form.querySelectorAll("[aria-invalid]")) invalid.removeAttribute("aria-invalid");
  for (const error of form.querySelectorAll(".error")) fill(error);
}

/** Shows a problem at the field that it names, or the closest one around it; false if there is none. */
export function showProblem(form, problem) {
  clearProblems(form);
  for (let path = problem.field; path; path = outer(path)) {
    const found = [...form.querySelectorAll("[data-path]")].find((element) => element.dataset.path === path);
    if (!found) continue;
    const where = found.matches(".field, fieldset") ? found : found.closest("fieldset, .field") ?? found;
    const controls = "input:not([type=checkbox]), select, textarea";
    const control = found.matches(controls) ? found : found.querySelector(controls) ?? found.querySelector("input, button");
    const name = path === problem.field && path === where.dataset.path ? "" : `${problem.field} `;
    fill(where.querySelector(".error"), `${name}${problem.message}`);
    control?.setAttribute("aria-invalid", "true");
    control?.focus();
    return true;
  }
  return false;
}

/** What a path is part of: `limits[0].per`, `limits[0]`, `limits`. */
function outer(path) {
  return path.includes(".") || path.includes("[") ? path.replace(/(\.[^.[]*|\[[^[]*\])$/, "") : null;
}
