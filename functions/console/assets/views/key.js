// One key: what it is, and what can be done with it. Its other pages have the same head.

import { fill, h, text, visible } from "../dom.js";
import { get, path } from "../api.js";
import * as actions from "../actions.js";
import * as badges from "../badges.js";
import { part } from "../loading.js";
import { advice } from "./advice.js";
import { attempts } from "./attempts.js";
import { check } from "./check.js";
import { overview } from "./overview.js";
import { usage } from "./usage.js";

const PAGES = {
  overview: ["Overview", "", overview],
  usage: ["Usage", "/usage", usage],
  attempts: ["Attempts", "/attempts", attempts],
  advice: ["Advice", "/advice", advice],
  check: ["Check", "/check", check],
};

/** The view of a page of a key. */
export function key(page) {
  return ({ params, signal }) => {
    const [, , show] = PAGES[page];
    const heading = h("h1", { tabindex: "-1" }, "Key");
    const buttons = h("div", { class: "buttons" });
    const state = h("p", { class: "state" });
    const load = async () => {
      const key = await get(path`/v1/keys/${params.id}`, {}, signal);
      document.title = `${visible(key.name)} · API keys`;
      fill(heading, text(key.name));
      fill(state, badges.status(key.status), badges.environment(key.environment), badges.owner(key.owner), text(key.id, "mono muted"));
      fill(buttons, actions.buttons(key, view.reload));
      return show(key, { signal, reload: view.reload });
    };
    const view = part(load, signal);
    return h("section", { class: "key" },
      h("p", { class: "crumb" }, h("a", { href: "#/keys" }, h("span", { "aria-hidden": "true" }, "← "), "All keys")),
      h("div", { class: "head" }, h("div", null, heading, state), buttons),
      h("nav", { class: "tabs", "aria-label": "Of this key" }, h("ul", null, Object.entries(PAGES).map(([name, [label, end]]) =>
        h("li", null, h("a", {
          href: `#/keys/${encodeURIComponent(params.id)}${end}`, "aria-current": name === page ? "page" : null,
        }, label))))),
      view);
  };
}
