// One conversation: what the server has of it, and what is still on its way there.

import * as api from "./api.js";
import { newId } from "./dom.js";
import * as keep from "./keep.js";
import { changed, find, put, state } from "./state.js";
import { now, setNow } from "./time.js";

const threads = new Map();

export const open = (id) => {
  if (!threads.has(id)) threads.set(id, new Thread(id));
  return threads.get(id);
};
export const known = (id) => threads.get(id);
export const all = () => [...threads.values()];

/** Read open conversations again: after a reconnect there may be anything. */
export function resync(selected) {
  for (const [id, thread] of threads) {
    if (id === selected) thread.sync();
    else if (!thread.unsent.length) threads.delete(id);
  }
}

export class Thread {
  constructor(id) {
    this.id = id;
    this.lines = new Map();
    this.notes = [];
    this.pending = [];
    this.lastSeq = 0;
    this.status = "loading";
    this.problem = "";
    this.divider = keep.get(`seen:${id}`, 0);
    // Answers that the server has not confirmed: sending, failed or held. They outlive a reload.
    this.unsent = keep.get(`unsent:${id}`, []).map((item) => ({ ...item, state: item.state === "sending" ? "failed" : item.state }));
    this.running = null;
    this.again = false;
    this.pause = 0;
    this.round = 0;
    this.timer = 0;
  }

  /** Ask for what is new; calls that come meanwhile are one more call. */
  sync() {
    clearTimeout(this.timer);
    if (this.running) {
      this.again = true;
      return this.running;
    }
    this.running = this.read().finally(() => {
      this.running = null;
      if (this.again) {
        this.again = false;
        this.sync();
      } else this.plan();
    });
    return this.running;
  }

  async read() {
    this.round += 1;
    const round = this.round;
    try {
      for (let more = true; more; ) {
        const found = await api.thread(this.id, this.lastSeq);
        const behind = this.lastSeq;
        this.merge(found, round);
        more = found.more && this.lastSeq > behind;
      }
      this.status = "ready";
      this.problem = "";
    } catch (problem) {
      this.problem = problem.message;
      if (this.status !== "ready") this.status = problem.status === 404 ? "unknown" : "error";
    }
    changed();
  }

  merge(found, round) {
    setNow(found.now);
    put(found.ticket);
    const fresh = found.lines.some((line) => !this.lines.has(line.seq));
    for (const line of found.lines) this.lines.set(line.seq, line);
    this.notes = found.notes;
    this.lastSeq = Math.max(this.lastSeq, found.last_seq);
    // An answer confirmed while this was under way is not in what the server had to tell.
    const later = this.pending.filter((row) => row.round > round && !found.pending.some((other) => other.client_id === row.client_id));
    const rounds = new Map(this.pending.map((row) => [row.client_id, row]));
    this.pending = [...found.pending.map((row) => ({ ...row, round: 0, since: rounds.get(row.client_id)?.since ?? now() })), ...later];
    const confirmed = new Set(found.pending.map((row) => row.client_id));
    this.unsent = this.unsent.filter((item) => !confirmed.has(item.client_id));
    if (fresh) this.pause = 0;
  }

  /** The list may know of lines that the transcript does not show yet, and answers take a moment to be placed. */
  plan() {
    const ticket = find(this.id);
    const behind = ticket && ticket.state !== "closed" && ticket.last_seq > this.lastSeq;
    if (this.status === "error" || (!behind && !this.pending.length)) return;
    this.pause = Math.min(15000, (this.pause || 250) * 2);
    this.timer = setTimeout(() => this.sync(), this.pause);
  }

  say(text) {
    const item = { client_id: newId(), text, seen: this.lastSeq, at: now(), state: "sending" };
    this.unsent.push(item);
    return this.send(item);
  }

  async send(item, anyway = false) {
    Object.assign(item, { state: "sending", problem: "" });
    this.save();
    try {
      const { client_id, text, seen } = item;
      const done = await api.reply(this.id, { client_id, text, seen, anyway });
      this.unsent = this.unsent.filter((other) => other !== item);
      if (!this.pending.some((row) => row.client_id === client_id))
        this.pending.push({ ...done.pending, round: this.round + 1, since: now() });
      put(done.ticket);
      this.pause = 0;
    } catch (problem) {
      item.state = problem.error === "stale" ? "held" : "failed";
      item.problem = problem.message;
      item.final = problem.status === 409 && problem.error !== "stale";
      if (problem.body.ticket) put(problem.body.ticket);
      for (const line of problem.body.lines ?? []) this.lines.set(line.seq, line);
      if (problem.body.last_seq) item.seen = problem.body.last_seq;
    }
    this.save();
    this.sync();
  }

  discard(item) {
    this.unsent = this.unsent.filter((other) => other !== item);
    this.save();
  }

  save() {
    keep.set(`unsent:${this.id}`, this.unsent.length ? this.unsent : null);
    changed();
  }

  /** Everything in the order in which it happened; notes stand between lines, by time. */
  rows() {
    const rows = [...this.lines.values()]
      .sort((a, b) => a.seq - b.seq)
      .map((line) => ({ key: `l${line.seq}`, kind: line.source, at: line.at, line }));
    for (const note of this.notes) {
      const at = rows.findLastIndex((row) => row.at <= note.at) + 1;
      rows.splice(at, 0, { key: `n${note.id}`, kind: "note", at: note.at, note });
    }
    const mine = state.agent.name;
    for (const row of this.pending) rows.push({ key: `p${row.client_id}`, kind: "agent", at: row.at, pending: row });
    for (const item of this.unsent) rows.push({ key: `p${item.client_id}`, kind: "agent", at: item.at, item, author: mine });
    return rows;
  }
}
