// What a key could do without, as far as its uses tell.

import { h, text } from "../dom.js";
import { get, path } from "../api.js";
import * as badges from "../badges.js";
import { count, moment } from "../format.js";
import { empty, part } from "../loading.js";

const TITLES = {
  unused_scopes: "It has scopes that nothing needed",
  allowlist: "It could be held to fewer addresses",
  idle: "Nobody uses it",
  old_secret_in_use: "Its old secret is still used",
};

export function advice(key, { signal }) {
  const load = async () => {
    const { advice, based_on: basis } = await get(path`/v1/keys/${key.id}/advice`, {}, signal);
    const limits = basis.complete ? "" : " Not all of them could be looked at, so nothing is concluded from what they lack.";
    return [
      h("p", { class: "muted" }, "From ", count(basis.uses, "use"), " since ", moment(basis.since), ".", limits),
      advice.length > 0 ? h("ul", { class: "cards" }, advice.map((one) => card(one, key))) : empty("Nothing to advise: what the key has is what it uses."),
    ];
  };
  return [h("h2", null, "Advice"), part(load, signal)];
}

function card({ code, detail, scopes, ip_allowlist: networks }, key) {
  return h("li", { class: "panel" },
    h("h3", null, TITLES[code] ?? text(code)),
    h("p", null, text(detail)),
    scopes && badges.scopes(scopes), networks && badges.scopes(networks),
    (scopes || networks) && key.status !== "revoked" && h("p", null, h("a", { href: `#/keys/${key.id}/edit` }, "Change the key")));
}
