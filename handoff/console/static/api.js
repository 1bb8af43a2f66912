// Asking the server. A failure is an error with a sentence to show; `status` 0 means that it was not reached.

export class Failure extends Error {
  constructor(status, body) {
    super(body?.message ?? "Frontdesk can't be reached.");
    this.status = status;
    this.error = body?.error ?? "offline";
    this.body = body ?? {};
  }
}

async function ask(path, options) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), 15000);
  try {
    const answer = await fetch(`/console/api/${path}`, {
      credentials: "same-origin",
      signal: patience.signal,
      ...options,
    });
    const body = await answer.json().catch(() => null);
    if (answer.ok && body) return body;
    if (answer.status === 401) location.reload();
    throw new Failure(answer.status, body);
  } catch (problem) {
    throw problem instanceof Failure ? problem : new Failure(0, null);
  } finally {
    clearTimeout(timer);
  }
}

const post = (path, body) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const queue = (view = "open") => ask(`queue?view=${view}`);
export const thread = (id, after) => ask(`tickets/${id}?after=${after}`);
export const take = (id, insteadOf = "") => post(`tickets/${id}/take`, { instead_of: insteadOf });
export const reply = (id, body) => post(`tickets/${id}/reply`, body);
export const note = (id, body) => post(`tickets/${id}/note`, body);
export const giveBack = (id, body) => post(`tickets/${id}/give-back`, body);
export const typing = (id, on) => post(`tickets/${id}/typing`, { on });
export const signOut = () => post("sign-out", {});
