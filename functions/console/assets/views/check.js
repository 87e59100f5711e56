// Would a request with this key pass, and which rule decides? Nothing is counted.

import { fill, h, text } from "../dom.js";
import { path, post } from "../api.js";
import { clearProblems, field, input, select, showProblem } from "../form.js";
import { failure } from "../loading.js";
import { announce } from "../notices.js";
import { table } from "../table.js";

const METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];

const COLUMNS = [
  { label: "Rule", cell: ({ rule }) => text(rule.replaceAll("_", " ")) },
  { label: "Passes", cell: ({ passes }) => h("span", { class: `badge ${passes ? "good" : "bad"}` }, passes ? "✓ yes" : "✕ no") },
  { label: "Because", cell: ({ because }) => text(because) },
];

export function check(key) {
  const method = select(METHODS.map((name) => [name, name]), "GET");
  const place = input("text", { class: "mono", placeholder: "/reports/7" });
  const address = input("text", { class: "mono", placeholder: "203.0.113.7" });
  const answer = h("div", { class: "part" });
  const submit = async (event) => {
    event.preventDefault();
    clearProblems(form);
    const body = { method: method.value, path: place.value.trim(), ...(address.value.trim() && { source_ip: address.value.trim() }) };
    try {
      const checked = await post(path`/v1/keys/${key.id}/check`, body);
      const verdict = checked.allowed ? "It would be let in." : `It would be refused: ${checked.detail}`;
      fill(answer,
        h("p", { class: `callout ${checked.allowed ? "good" : "bad"}` }, h("strong", null, checked.allowed ? "✓ " : "✕ "), text(verdict)),
        table({ caption: "Rules in their order", columns: COLUMNS }).show(checked.rules));
      announce(verdict);
    } catch (problem) {
      fill(answer);
      if (!showProblem(form, problem)) fill(answer, failure(problem));
    }
  };
  const form = h("form", { submit, novalidate: true, class: "filters" },
    field("Method", method, { path: "method" }),
    field("Path", place, { path: "path", required: true, kind: "grow" }),
    field("From the address", address, { path: "source_ip" }),
    h("div", { class: "field" }, h("button", { type: "submit", class: "primary" }, "Check")));
  return [h("h2", null, "Check a request"), h("p", { class: "muted" }, "Which rule would decide. Nothing is sent, and nothing is counted."), form, answer];
}
