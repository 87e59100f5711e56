// The API lists keys by owner, or by environment and status. "Any" of them is several such lists, read side by side.

import { get } from "./api.js";

const ENVIRONMENTS = ["live", "test"];
const STATUSES = ["active", "disabled", "revoked"];
const PAGE = 100;

/** Keys that fit `{ environment, status, type, id }`, page by page. An empty text is any. */
export function listing(filter, signal) {
  const cursors = new Map(queries(filter).map((query) => [query, null]));
  const found = new Map();
  const fits = (key) => [["environment", key.environment], ["status", key.status]].every(([name, value]) => !filter[name] || filter[name] === value);
  return {
    /** How many keys the API has shown so far. */
    seen: () => found.size,
    more: () => cursors.size > 0,
    /** Reads one more page of each list. */
    async next() {
      await Promise.all([...cursors].map(async ([query, cursor]) => {
        const page = await get("/v1/keys", { ...query, limit: PAGE, cursor }, signal);
        page.keys.forEach((key) => found.set(key.id, key));
        if (page.next_cursor) cursors.set(query, page.next_cursor);
        else cursors.delete(query);
      }));
    },
    /** Those seen so far, newest first. */
    keys: () => [...found.values()].filter(fits).sort((a, b) => (a.created_at < b.created_at ? 1 : -1)),
  };
}

function queries({ environment, status, type, id }) {
  if (id) return [{ owner_type: type, owner_id: id }];
  const environments = environment ? [environment] : ENVIRONMENTS;
  const statuses = status ? [status] : STATUSES;
  return environments.flatMap((environment) => statuses.map((status) => ({ environment, status })));
}

/** Whether a key is what somebody looks for: by name, id, owner or hint, or by a whole secret, of which the hint is the beginning. */
export function matches(key, search) {
  const wanted = search.trim().toLowerCase();
  if (!wanted) return true;
  const hint = (key.hint ?? "").replace(/…$/, "");
  const texts = [key.name, key.id, `${key.owner.type}:${key.owner.id}`, hint];
  return texts.some((text) => text.toLowerCase().includes(wanted)) || (hint.length > 8 && search.trim().startsWith(hint));
}
