// A list of the API that comes in pages: the first at once, the others when asked for.

import { fill, h } from "./dom.js";
import { empty, failure } from "./loading.js";
import { announce } from "./notices.js";
import { count } from "./format.js";

/** The list as an element. `read(cursor)` resolves to `{ rows, next }`, `show(rows)` to what is shown of all of them. */
export function pages({ read, show, nothing, noun, signal }) {
  const body = h("div", { class: "part" }, h("p", { class: "loading" }, "Loading…"));
  const more = h("button", { type: "button", hidden: true }, "Load more");
  let [rows, cursor] = [[], null];
  async function load() {
    body.setAttribute("aria-busy", "true");
    more.disabled = true;
    try {
      const page = await read(cursor);
      if (signal.aborted) return;
      if (rows.length > 0) announce(`${count(page.rows.length, noun)} more.`);
      rows = [...rows, ...page.rows];
      [cursor, more.hidden] = [page.next, !page.next];
      fill(body, rows.length > 0 ? show(rows) : empty(nothing));
    } catch (error) {
      if (!signal.aborted) fill(body, failure(error, load));
    } finally {
      body.removeAttribute("aria-busy");
      more.disabled = false;
    }
  }
  more.addEventListener("click", load);
  load();
  return h("div", null, body, h("p", { class: "more" }, more));
}
