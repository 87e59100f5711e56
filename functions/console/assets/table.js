// Tables that can be sorted by the keyboard, and scrolled by it where they are wider than the screen.

import { h, fill } from "./dom.js";

/**
 * A table. `columns` are `{ label, cell(row), sort(row)?, kind? }`; the first cell of a row is its header. `show(rows, isNew)` puts
 * rows into it; rows for which `isNew` holds are marked.
 */
export function table({ caption, columns, hideCaption = true }) {
  let rows = [];
  let order = null;
  let isNew = () => false;
  const body = h("tbody");
  const heads = columns.map((column, index) => {
    const content = column.sort ? h("button", { type: "button", click: () => sort(index) }, column.label) : column.label;
    return h("th", { scope: "col", class: column.kind ?? false }, content);
  });
  const element = h("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
    h("table", null, h("caption", { class: hideCaption ? "unseen" : false }, caption), h("thead", null, h("tr", null, heads)), body));

  function sort(index) {
    const up = order?.index === index ? !order.up : true;
    order = { index, up };
    heads.forEach((head, at) => {
      if (at === index) head.setAttribute("aria-sort", up ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    draw();
  }

  function draw() {
    const sorted = [...rows];
    if (order) {
      const value = columns[order.index].sort;
      sorted.sort((a, b) => compare(value(a), value(b)) * (order.up ? 1 : -1));
    }
    fill(body, sorted.map((row) => h("tr", { class: isNew(row) ? "new" : false }, columns.map((column, index) => {
      const cell = { class: column.kind ?? false };
      return index === 0 ? h("th", { scope: "row", ...cell }, column.cell(row)) : h("td", cell, column.cell(row));
    }))));
  }

  element.show = (next, marks = () => false) => {
    rows = next;
    isNew = marks;
    draw();
    return element;
  };
  return element;
}

// What has no value comes last.
function compare(a, b) {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  return typeof a === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
}
