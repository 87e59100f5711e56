// A part of the page that comes from the API: it loads, is shown, or says why not and can be tried again.

import { h, fill } from "./dom.js";

/** An element that holds what `load` resolves to. Its `reload` does it again. */
export function part(load, signal, what = "Loading…") {
  const element = h("div", { class: "part" });
  element.reload = async () => {
    element.setAttribute("aria-busy", "true");
    if (!element.hasChildNodes()) fill(element, h("p", { class: "loading" }, what));
    try {
      const content = await load();
      if (!signal?.aborted) fill(element, content);
    } catch (error) {
      if (!signal?.aborted) fill(element, failure(error, element.reload));
    } finally {
      element.removeAttribute("aria-busy");
    }
  };
  element.reload();
  return element;
}

/** What went wrong, and a button to try again. */
export function failure(error, again) {
  if (error.status === undefined) console.error(error);
  const sentence = error.status === undefined ? "This page made a mistake. Load it again." : error.message;
  return h("div", { class: "failure", role: "alert" },
    h("p", null, h("strong", null, title(error)), " ", sentence),
    again && h("button", { type: "button", click: again }, "Try again"));
}

function title(error) {
  if (error.status === 0) return "No answer.";
  if (error.status >= 500) return "The API has a fault.";
  if (error.status === 404) return "Not found.";
  return "That didn't work.";
}

/** What is said where there is nothing. */
export function empty(sentence, ...more) {
  return h("div", { class: "empty" }, h("p", null, sentence), more);
}
