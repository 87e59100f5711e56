// The console: who is signed in, what is shown, and what is around it.

import { fill, h, text } from "./dom.js";
import * as session from "./session.js";
import * as router from "./router.js";
import * as theme from "./theme.js";
import * as help from "./help.js";
import { closeAll } from "./dialog.js";
import { announce } from "./notices.js";
import { signIn } from "./views/signin.js";
import { forget, keys } from "./views/keys.js";
import { key } from "./views/key.js";
import { edit, issue } from "./views/order.js";
import { plans } from "./views/plans.js";
import { owner } from "./views/owner.js";
import { changes } from "./views/changes.js";

router.route("/keys", "Keys", keys);
router.route("/issue", "Issue a key", issue);
router.route("/keys/:id", "Key", key("overview"));
router.route("/keys/:id/edit", "Change a key", edit);
router.route("/keys/:id/usage", "Usage of a key", key("usage"));
router.route("/keys/:id/attempts", "Attempts with a key", key("attempts"));
router.route("/keys/:id/advice", "Advice on a key", key("advice"));
router.route("/keys/:id/check", "Check a request", key("check"));
router.route("/plans", "Plans", plans);
router.route("/owners/:type/:id", "Owner", owner);
router.route("/changes", "Changes", changes);

const byId = (id) => document.getElementById(id);

function render(reason) {
  const self = session.who();
  for (const id of ["nav", "who", "sign-out"]) byId(id).hidden = self === null;
  closeAll();
  if (self === null) {
    router.leave();
    forget();
    document.title = "Sign in · API keys";
    fill(byId("who"));
    fill(byId("main"), signIn(reason));
    (byId("admin-key") ?? byId("main")).focus();
    if (reason) announce(reason);
  } else {
    fill(byId("who"), h("a", { href: `#/keys/${self.id}`, title: "Your key" }, text(self.name)));
    router.show();
  }
}

theme.start(byId("theme"));
help.start(byId("help"));
byId("sign-out").addEventListener("click", () => session.end("You are signed out."));
byId("skip").addEventListener("click", (event) => {
  // A fragment of its own would be taken for a place.
  event.preventDefault();
  byId("main").focus();
});
addEventListener("hashchange", () => { if (session.who()) router.show(); });
session.onChange(render);
render(null);
