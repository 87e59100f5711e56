// Issuing a key, and changing one: the same fields, but for what can't be changed.

import { fill, h, text } from "../dom.js";
import { get, idempotency, patch, path, post, Problem } from "../api.js";
import { clearProblems, field, input, select, showProblem } from "../form.js";
import { failure, part } from "../loading.js";
import { announce, passing } from "../notices.js";
import { go } from "../router.js";
import { showSecret } from "../secret.js";
import * as policy from "../policy.js";

/** The page that issues a key. */
export function issue({ query, signal }) {
  const load = async () => form({
    plans: (await get("/v1/plans", { limit: 100 }, signal)).plans,
    key: blank(query),
    action: "Issue the key",
    back: "/keys",
    send: (body, idempotencyKey) => post("/v1/keys", body, { idempotencyKey }),
    async done(document) {
      announce("The key is issued.");
      await showSecret(document, `The secret of ${document.name}`);
      go(`/keys/${document.id}`);
    },
  });
  return h("section", { class: "narrow" }, h("h1", { tabindex: "-1" }, "Issue a key"), part(load, signal));
}

/** The page that changes a key. */
export function edit({ params, signal }) {
  const place = path`/v1/keys/${params.id}`;
  const load = async () => {
    const key = await get(place, {}, signal);
    fill(heading, "Change ", text(key.name));
    return form({
      plans: null,
      key,
      action: "Save",
      back: `/keys/${key.id}`,
      send: (body) => patch(place, body, { ifMatch: key.version }),
      done() {
        passing("The change is in force.");
        go(`/keys/${key.id}`);
      },
      reload: () => view.reload(),
    });
  };
  const heading = h("h1", { tabindex: "-1" }, "Change a key");
  const view = part(load, signal);
  return h("section", { class: "narrow" }, heading, view);
}

function blank(query) {
  return {
    name: "", scopes: [], limits: [], ip_allowlist: [], shared_limits: false, expires_at: null, rotate_every_days: null, metadata: {},
    owner: { type: query.get("owner_type") ?? "user", id: query.get("owner_id") ?? "" }, environment: "live", plan: "",
  };
}

function form({ plans, key, action, back, send, done, reload }) {
  const isNew = plans !== null;
  const name = input("text", { maxlength: 64 });
  name.value = key.name;
  const kind = select([["user", "User"], ["service", "Service"]], key.owner.type);
  const id = input("text", { maxlength: 64 });
  id.value = key.owner.id;
  const environment = select([["live", "live"], ["test", "test"]], key.environment);
  const plan = isNew && select([["", "No plan"], ...plans.map(({ name }) => [name, name])], "");
  const fields = {
    scopes: policy.scopesField(key.scopes),
    limits: policy.limitsField(key.limits),
    shared_limits: policy.sharingField(key.shared_limits),
    ip_allowlist: policy.addressesField(key.ip_allowlist),
    expires_at: policy.expiryField(key.expires_at),
    rotate_every_days: policy.rotationField(key.rotate_every_days),
    metadata: policy.metadataField(key.metadata),
  };
  const before = isNew ? null : read();
  const keyFor = idempotency();
  const wrong = h("div", { class: "wrong" });
  const button = h("button", { type: "submit", class: "primary" }, action);

  function read() {
    return Object.fromEntries([["name", name.value], ...Object.entries(fields).map(([name, { read }]) => [name, read()])]);
  }

  /** What is sent: of a new key what was filled in, of another what was changed. */
  function body() {
    const now = read();
    if (!isNew) {
      const changed = ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]);
      return Object.fromEntries(Object.entries(now).filter(changed));
    }
    const empty = (value) => value === null || value === false || (typeof value === "object" && Object.keys(value).length === 0);
    const filled = Object.entries(now).filter(([name, value]) => !empty(value) && name !== "name");
    const order = { name: now.name, owner: { type: kind.value, id: id.value.trim() }, environment: environment.value };
    return { ...order, ...(plan.value && { plan: plan.value }), ...Object.fromEntries(filled) };
  }

  let busy = false;
  async function submit(event) {
    event.preventDefault();
    if (busy) return;
    clearProblems(element);
    fill(wrong);
    [busy, button.disabled] = [true, true];
    try {
      const content = body();
      if (!isNew && Object.keys(content).length === 0) return void fill(wrong, h("p", { class: "failure", role: "alert" }, "Nothing was changed yet."));
      const document = await send(content, keyFor(content));
      if (element.isConnected) await done(document);
      else if (document.secret) await showSecret(document, `The secret of ${document.name}`);
    } catch (problem) {
      if (element.isConnected) report(problem);
    } finally {
      [busy, button.disabled] = [false, false];
    }
  }

  function report(problem) {
    if (showProblem(element, problem)) return;
    fill(wrong, failure(problem instanceof Problem || problem.field ? problem : { message: "" }));
    const shown = wrong.firstChild;
    if (problem.status === 412) {
      shown.append(
        h("p", null, "Somebody else changed this key since you opened it, and what you see here is no longer what it is. Loading it again shows its present state; what you have entered is lost."),
        h("button", { type: "button", click: reload }, "Load the key again"));
    }
  }

  const element = h("form", { submit, novalidate: true, class: "order" },
    field("Name", name, { path: "name", required: true, hint: "What people call it, up to 64 characters." }),
    isNew && h("div", { class: "side-by-side", "data-path": "owner" },
      field("Owner type", kind, { path: "owner.type" }),
      field("Owner id", id, { path: "owner.id", required: true, hint: "Up to 64 visible ASCII characters, without spaces." })),
    isNew && h("div", { class: "side-by-side" },
      field("Environment", environment, { path: "environment" }),
      field("Plan", plan, { path: "plan", hint: "Gives scopes, limits and rotation, unless you fill them in." })),
    fields.scopes.element, fields.limits.element, fields.shared_limits.element, fields.ip_allowlist.element,
    h("div", { class: "side-by-side" }, fields.expires_at.element, fields.rotate_every_days.element),
    fields.metadata.element,
    wrong,
    h("div", { class: "actions" }, button, h("a", { class: "button", href: `#${back}` }, "Cancel")));
  return element;
}
