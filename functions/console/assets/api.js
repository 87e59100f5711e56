// Requests to the management API, which is where this file comes from: two folders up.

import * as session from "./session.js";
import { notice } from "./notices.js";
import { duration } from "./format.js";

const ROOT = new URL("../../", import.meta.url);
/** How long an answer may take, in milliseconds: API Gateway gives up before. */
const PATIENCE = 35_000;
/** The longest `Retry-After` that is waited for, in seconds, and how often. */
const LONGEST_WAIT = 60;
const MOST_WAITS = 3;

/** Why there is no answer: an RFC 9457 problem of the API, or status 0 if nothing came back. */
export class Problem extends Error {
  constructor(status, document = {}) {
    super(typeof document.detail === "string" && document.detail ? document.detail : `The API answered ${status}.`);
    Object.assign(this, { status, code: document.code ?? "", field: document.field ?? null });
  }

  /** Whether the same request may succeed later. */
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The address of the API, for commands that people paste. */
export const address = (path) => new URL(path.replace(/^\//, ""), ROOT).href;

export const get = (path, query, signal) => request("GET", path, { query, signal });
export const post = (path, body, options) => request("POST", path, { ...options, body });
export const patch = (path, body, options) => request("PATCH", path, { ...options, body });
export const put = (path, body, options) => request("PUT", path, { ...options, body });

/** A path whose parts are escaped: path`/v1/keys/${id}`. */
export function path(parts, ...values) {
  return parts.reduce((all, part, index) => all + encodeURIComponent(values[index - 1]) + part);
}

/** Who a key is that isn't signed in yet. */
export function identify(secret) {
  return request("GET", "/v1/self", { secret });
}

/**
 * The document that comes back. A refused key signs out; a limit is waited for, and people are told.
 *
 * @throws {Problem}
 */
async function request(method, path, options) {
  for (let waits = 0; ; waits += 1) {
    const response = await send(method, path, options);
    const document = await json(response, options.signal);
    if (response.ok) return document;
    const problem = new Problem(response.status, document ?? {});
    const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10) || 1;
    if (response.status === 429 && waits < MOST_WAITS && seconds <= LONGEST_WAIT) {
      await wait(seconds, problem, options.signal);
      continue;
    }
    if (options.secret === undefined && (response.status === 401 || response.status === 403)) {
      session.end(`You were signed out: the API no longer accepts this key. It said: ${problem.message}`);
    }
    throw problem;
  }
}

async function send(method, path, { query, body, ifMatch, idempotencyKey, secret, signal }) {
  const url = new URL(path.slice(1), ROOT);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  const headers = new Headers({ Accept: "application/json" });
  if (secret === undefined) session.authorize(headers);
  else headers.set("X-API-Key", secret);
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (ifMatch !== undefined) headers.set("If-Match", `"${ifMatch}"`);
  if (idempotencyKey !== undefined) headers.set("Idempotency-Key", idempotencyKey);
  const timeout = AbortSignal.timeout(PATIENCE);
  try {
    return await fetch(url, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    const detail = navigator.onLine
      ? "The API can't be reached. Check the connection, then try again."
      : "This computer is offline. Try again when it is connected.";
    throw new Problem(0, { detail });
  }
}

async function json(response, signal) {
  try {
    return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    if (response.ok) throw new Problem(0, { detail: "The answer broke off. Try again." });
    return {};
  }
}

async function wait(seconds, problem, signal) {
  const remove = notice(`The API asks to wait ${duration(seconds)}: ${problem.message} It is tried again by itself.`);
  try {
    await new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, seconds * 1000);
      signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
    });
  } finally {
    remove();
  }
}

/** `Idempotency-Key`s of one form: the same content sent again has the same one, so that it is done once. */
export function idempotency() {
  let sent = null;
  let id = null;
  return (body) => {
    const content = JSON.stringify(body);
    if (content !== sent) [sent, id] = [content, crypto.randomUUID()];
    return id;
  };
}
