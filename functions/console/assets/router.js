// What is shown follows the address behind the #, so that back, forward and links work. Nothing secret is ever in it.

import { h, fill } from "./dom.js";

const routes = [];
let current = null;

/** Shows `view({ params, query, signal })` at addresses of that form: `/keys/:id`. */
export function route(pattern, title, view) {
  const names = [];
  const source = pattern.replace(/:(\w+)/g, (_, name) => { names.push(name); return "([^/]+)"; });
  routes.push({ expression: new RegExp(`^${source}$`), names, title, view });
}

/** Path and query of the address. */
export function place() {
  const [path, query] = (location.hash.slice(1) || "/keys").split("?");
  return { path, query: new URLSearchParams(query ?? "") };
}

/** Goes to a place. */
export function go(path) {
  if (location.hash === `#${path}`) show();
  else location.hash = path;
}

/** Changes the query of this place without a step in the history, and without showing it anew. */
export function note(query) {
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
  history.replaceState(null, "", `#${place().path}${text && `?${text}`}`);
}

/** Shows the place that the address names, and puts the focus on its heading. */
export function show({ focus = true } = {}) {
  leave();
  const { path, query } = place();
  const main = document.getElementById("main");
  current = new AbortController();
  const found = match(path);
  document.title = `${found?.title ?? "Not found"} · API keys`;
  const view = found
    ? found.view({ params: found.params, query, signal: current.signal })
    : h("section", null, h("h1", { tabindex: "-1" }, "Not found"), h("p", null, "There is no such page. ", h("a", { href: "#/keys" }, "All keys")));
  fill(main, view);
  for (const link of document.querySelectorAll("#nav a")) {
    const here = path === link.hash.slice(1) || path.startsWith(`${link.hash.slice(1)}/`);
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (focus) {
    scrollTo(0, 0);
    (main.querySelector("[data-focus]") ?? main.querySelector("h1") ?? main).focus({ preventScroll: true });
  }
}

/** Ends what the place that is shown has begun. */
export function leave() {
  current?.abort();
  current = null;
}

function match(path) {
  for (const { expression, names, title, view } of routes) {
    const values = expression.exec(path)?.slice(1);
    if (!values) continue;
    try {
      const params = Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(values[index])]));
      return { params, title, view };
    } catch {
      return null;
    }
  }
  return null;
}
