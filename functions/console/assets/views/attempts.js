// The attempts with a key, newest first and live: asked for again every few seconds, as long as somebody can see them.

import { fill, h, text } from "../dom.js";
import { get, path } from "../api.js";
import * as badges from "../badges.js";
import { field, select } from "../form.js";
import { clock, count } from "../format.js";
import { empty, failure } from "../loading.js";
import { announce } from "../notices.js";
import { table } from "../table.js";

/** Between two questions, in milliseconds. */
const PAUSE = 4_000;
const PAGE = 50;

const COLUMNS = [
  { label: "Time (UTC)", kind: "when", cell: ({ at }) => clock(at) },
  { label: "Outcome", cell: ({ outcome }) => badges.outcome(outcome) },
  { label: "Request", cell: ({ method, path }) => [h("span", { class: "mono" }, text(method ?? "")), " ", text(path ?? "", "mono")] },
  { label: "From", cell: ({ source_ip: ip }) => text(ip ?? "", "mono") },
  { label: "User agent", kind: "long", cell: ({ user_agent: agent }) => text(agent ?? "") },
  { label: "Secret", kind: "number", cell: ({ generation }) => generation ?? "" },
  { label: "Took", kind: "number", cell: ({ duration_ms: ms }) => (typeof ms === "number" ? `${ms.toFixed(1)} ms` : "") },
];

const identity = (attempt) => `${attempt.at} ${attempt.request_id}`;

export function attempts(key, { signal }) {
  const filter = select([["", "all"], ["allowed", "allowed"], ["refused", "refused"]], "");
  const pause = h("button", { type: "button", "aria-pressed": "false" }, "Pause");
  const state = h("span", { class: "live" });
  const shown = table({ caption: "Attempts", columns: COLUMNS });
  const body = h("div", { class: "part", "aria-busy": "true" }, h("p", { class: "loading" }, "Loading attempts…"));
  const older = h("button", { type: "button", hidden: true }, "Load older ones");
  let [paused, known, cursor, timer, turn, begun] = [false, [], null, 0, 0, false];

  const ask = (cursor) => get(path`/v1/keys/${key.id}/audit`, { outcome: filter.value, limit: PAGE, cursor }, signal);

  async function look() {
    clearTimeout(timer);
    if (paused || document.hidden || signal.aborted) return say();
    const mine = (turn += 1);
    try {
      const page = await ask();
      if (mine !== turn || signal.aborted) return;
      take(page);
    } catch (error) {
      if (mine === turn && !signal.aborted) fill(body, failure(error, look));
      return;
    } finally {
      body.removeAttribute("aria-busy");
    }
    timer = setTimeout(look, PAUSE);
    say();
  }

  function take(page) {
    const before = new Set(known.map(identity));
    const fresh = page.attempts.filter((attempt) => !before.has(identity(attempt)));
    known = [...fresh, ...known].sort((a, b) => (a.at < b.at ? 1 : -1));
    if (!begun) [cursor, older.hidden] = [page.next_cursor, !page.next_cursor];
    const marks = begun ? new Set(fresh.map(identity)) : new Set();
    if (!begun || fresh.length > 0 || !shown.isConnected) draw(marks);
    if (begun && fresh.length > 0) {
      const refused = fresh.filter(({ outcome }) => outcome !== "allowed").length;
      announce(`${count(fresh.length, "new attempt")}${refused ? `, ${refused} refused` : ""}.`);
    }
    begun = true;
  }

  function draw(marks = new Set()) {
    if (known.length > 0) fill(body, shown.show(known, (attempt) => marks.has(identity(attempt))));
    else fill(body, empty("Nobody has tried this key yet, or the stack keeps no copies of such attempts."));
  }

  function say() {
    const live = !paused && !document.hidden;
    fill(state, h("span", { "aria-hidden": "true" }, live ? "● " : "❙❙ "), live ? "Live" : "Paused");
    state.classList.toggle("on", live);
  }

  function anew() {
    [known, cursor, begun] = [[], null, false];
    look();
  }

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Go on" : "Pause";
    announce(paused ? "Paused." : "Live again.");
    look();
  });
  filter.addEventListener("change", anew);
  older.addEventListener("click", async () => {
    older.disabled = true;
    try {
      const page = await ask(cursor);
      known = [...known, ...page.attempts.filter((attempt) => !known.some((other) => identity(other) === identity(attempt)))];
      [cursor, older.hidden] = [page.next_cursor, !page.next_cursor];
      draw();
      announce(`${count(page.attempts.length, "older attempt")} loaded.`);
    } catch (error) {
      if (!signal.aborted) body.append(failure(error));
    } finally {
      older.disabled = false;
    }
  });
  document.addEventListener("visibilitychange", look, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  look();
  return [
    h("div", { class: "head" }, h("h2", null, "Attempts"),
      h("div", { class: "buttons" }, state, field("Outcome", filter, { kind: "inline" }), pause)),
    body, h("p", { class: "more" }, older),
  ];
}
