// The server's interface: every request of the page goes through `request`, every refusal is an ApiError.

const UNREACHABLE = { code: "unreachable", message: "The server cannot be reached.", retryable: true };
const ENTRY = "api/session";

// The server said no, or nothing: `status` is 0 when it could not be reached.
export class ApiError extends Error {
  constructor(status, { code, message, hint, retryable, retry_after: retryAfter } = {}, run = null) {
    super(message || `The server answered with status ${status}.`);
    Object.assign(this, { status, code: code || "internal", hint, retryable: Boolean(retryable), retryAfter, run });
  }
}

let locked = () => {};

// What to do when the server no longer knows this page.
export function whenLocked(act) {
  locked = act;
}

// Relative to where the page is mounted, whatever its prefix.
export const address = (path) => new URL(path, document.baseURI).href;

// The Response, headers only; ApiError for anything but a success.
export async function request(method, path, { body, headers = {}, signal, keepalive } = {}) {
  const sent = body === undefined ? headers : { ...headers, "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(address(path), {
      method, headers: sent, signal, keepalive, credentials: "same-origin", cache: "no-store",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new ApiError(0, UNREACHABLE);
  }
  if (response.ok) return response;
  const error = await refusal(response);
  if (response.status === 401 && path !== ENTRY) locked(error);
  throw error;
}

// The answer's JSON, or null where it has none.
export async function call(method, path, options) {
  const response = await request(method, path, options);
  if (response.status === 204 || response.status === 202) return null;
  try {
    return await response.json();
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new ApiError(0, UNREACHABLE); // cut in the middle of the body
  }
}

// Exchange a code, or the server's token, for the cookie.
export const enter = (token) => call("POST", ENTRY, { body: { token } });

export const conversationPath = (id, more = "") => `api/conversations/${encodeURIComponent(id)}${more}`;

export const runPath = (id, more = "") => `api/runs/${encodeURIComponent(id)}${more}`;

async function refusal(response) {
  try {
    const { error } = await response.json();
    return new ApiError(response.status, error, response.headers.get("X-Run-Id"));
  } catch {
    return new ApiError(response.status); // a proxy's page, not ours
  }
}
