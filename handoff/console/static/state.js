// What the page knows, and who wants to hear when it changes. Views read it; only console.js and thread.js write it.

import * as keep from "./keep.js";

export const state = {
  agent: { id: "", name: "" },
  maxText: 8000,
  tickets: new Map(),
  closed: [],
  view: "waiting",
  selected: 0,
  status: "loading",
  problem: "",
  typing: new Map(),
};

const listeners = new Set();
let planned = false;

export const listen = (fn) => listeners.add(fn);

/** Draw once per frame, however much has changed. */
export function changed() {
  if (planned) return;
  planned = true;
  const draw = () => {
    planned = false;
    for (const fn of listeners) fn();
  };
  // Hidden pages get no frames, but their title still counts.
  if (document.hidden) setTimeout(draw, 50);
  else requestAnimationFrame(draw);
}

export const find = (id) => state.tickets.get(id) ?? state.closed.find((ticket) => ticket.id === id);
export const isMine = (ticket) => ticket.state === "taken" && ticket.agent === state.agent.id;
export const seen = (id) => keep.get(`seen:${id}`, 0);

export function markSeen(id, seq) {
  if (seq > seen(id)) {
    keep.set(`seen:${id}`, seq);
    changed();
  }
}

export const isUnread = (ticket) =>
  isMine(ticket) && ticket.preview_source === "user" && ticket.last_seq > seen(ticket.id);

const PRIORITY = { high: 0, normal: 1, low: 2 };
const oldest = (a, b) => PRIORITY[a.priority] - PRIORITY[b.priority] || a.opened_at - b.opened_at || a.id - b.id;
const owed = (a, b) => (a.waiting_since || Infinity) - (b.waiting_since || Infinity) || b.last_at - a.last_at;

/** The conversations of a view, most urgent first. */
export function list(view) {
  const all = [...state.tickets.values()].filter((ticket) => ticket.state !== "closed");
  const waiting = all.filter((ticket) => ticket.state === "waiting").sort(oldest);
  const mine = all.filter(isMine).sort(owed);
  if (view === "waiting") return waiting;
  if (view === "mine") return mine;
  if (view === "closed") return state.closed;
  return [...waiting, ...all.filter((ticket) => ticket.state === "taken").sort(owed)];
}

export function put(ticket) {
  const before = find(ticket.id);
  if (ticket.state === "closed") {
    state.tickets.delete(ticket.id);
    state.closed = [ticket, ...state.closed.filter((other) => other.id !== ticket.id)].slice(0, 50);
  } else state.tickets.set(ticket.id, ticket);
  changed();
  return before;
}

/** Someone types until they stop, or for six seconds. */
export function setTyping(id, on) {
  clearTimeout(state.typing.get(id));
  state.typing.delete(id);
  if (on) state.typing.set(id, setTimeout(() => setTyping(id, false), 6000));
  changed();
}
