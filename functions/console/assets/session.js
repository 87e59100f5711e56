// Who is signed in. The key is in a variable of this module and nowhere else: no storage, no address, no element. A reload forgets it.

/** After so many minutes without a key press or a click, the key is forgotten. */
export const IDLE_MINUTES = 15;

let key = null;
let owner = null;
let last = 0;
const listeners = new Set();

/** What `GET /v1/self` said of the key, or null. */
export function who() {
  return owner;
}

/** Calls `listener(reason)` whenever somebody signs in or out; of a sign-out, the reason is a sentence. */
export function onChange(listener) {
  listeners.add(listener);
}

/** Signs in. */
export function begin(secret, self) {
  key = secret;
  owner = self;
  last = Date.now();
  listeners.forEach((listener) => listener(null));
}

/** Forgets the key. */
export function end(reason) {
  if (key === null) return;
  key = null;
  owner = null;
  listeners.forEach((listener) => listener(reason));
}

/** Adds the key to a request's headers. */
export function authorize(headers) {
  if (key !== null) headers.set("X-API-Key", key);
}

for (const event of ["pointerdown", "keydown"]) {
  addEventListener(event, () => { last = Date.now(); }, { capture: true, passive: true });
}
// A sleeping computer stops timers: so the time is compared, and not counted.
const look = () => {
  if (key !== null && Date.now() - last >= IDLE_MINUTES * 60_000) {
    end(`You were signed out after ${IDLE_MINUTES} minutes without a key press or a click.`);
  }
};
setInterval(look, 5_000);
document.addEventListener("visibilitychange", look);
// A page that is left may be kept, and shown again to somebody else.
addEventListener("pagehide", () => end("You were signed out because the page was left."));
