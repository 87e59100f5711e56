// What is said beside the page: to a screen reader, and at the top while it holds.

import { h } from "./dom.js";

/** Says a sentence to a screen reader, when it is done with what it says now. */
export function announce(sentence) {
  const announcer = document.getElementById("announcer");
  // The same sentence twice is said twice only if it was gone in between.
  announcer.replaceChildren();
  setTimeout(() => announcer.replaceChildren(sentence), 50);
}

/** Shows and says a sentence until the function that it returns is called. */
export function notice(sentence, kind = "waiting") {
  const element = h("p", { class: `notice ${kind}` }, sentence);
  document.getElementById("notices").append(element);
  announce(sentence);
  return () => element.remove();
}

/** Shows and says a sentence for some seconds. */
export function passing(sentence) {
  setTimeout(notice(sentence, "done"), 6_000);
}
