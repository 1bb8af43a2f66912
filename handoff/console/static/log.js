// Draws a conversation: who said what is told by place, name, picture and tint, never by colour alone.

import { $, arrange, avatar, built, el, icon, link, nameOf, plain } from "./dom.js";
import { isMine, markSeen, state } from "./state.js";
import { dayKey, dayOf, fullTime, now, timeOf } from "./time.js";

const NEAR = 48;
const nodes = new Map();
let shownId = 0;
let onEdit = () => {};

export function setup(handlers) {
  ({ onEdit } = handlers);
  $("log").addEventListener("scroll", () => {
    if (atEnd()) $("newer").hidden = true;
  }, { passive: true });
  $("newer").addEventListener("click", () => toEnd());
}

const atEnd = () => {
  const log = $("log");
  return log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
};

function toEnd() {
  $("log").scrollTop = $("log").scrollHeight;
  $("newer").hidden = true;
}

export function render(thread, ticket) {
  const log = $("log");
  const switched = shownId !== thread.id;
  if (switched) {
    nodes.clear();
    shownId = thread.id;
    log.replaceChildren();
  }
  const follow = switched || atEnd();
  const before = log.childElementCount;
  arrange(log, thread.status === "ready" || thread.lines.size ? drawn(thread, ticket) : [waiting(thread)]);
  if (follow) toEnd();
  else if (log.childElementCount > before) $("newer").hidden = false;
  if (!document.hidden && atEnd() && thread.status === "ready") markSeen(thread.id, Math.max(thread.lastSeq, isMine(ticket) ? ticket.last_seq : 0));
}

function waiting(thread) {
  const node = cached("waiting", thread.status + thread.problem, () => {
    if (thread.status === "error")
      return el("li", { class: "blank" },
        el("p", { class: "blank-title", text: "The conversation could not be loaded" }), el("p", { text: thread.problem }),
        el("button", { type: "button", text: "Try again", on: { click: () => thread.sync() } }));
    if (thread.status === "unknown") return el("li", { class: "blank" }, el("p", { class: "blank-title", text: "There is no such conversation" }));
    return el("li", { class: "skeletons" }, ...Array.from({ length: 5 }, (_, at) => el("div", { class: at % 2 ? "skeleton right" : "skeleton" })));
  });
  return node;
}

function drawn(thread, ticket) {
  const made = [];
  let day = "";
  let last = null;
  let divided = thread.divider === 0;
  for (const row of thread.rows()) {
    if (dayKey(row.at) !== day) {
      day = dayKey(row.at);
      made.push(cached(`d${day}`, dayOf(row.at), () => el("li", { class: "day" }, el("span", { text: dayOf(row.at) }))));
      last = null;
    }
    if (!divided && row.line?.source === "user" && row.line.seq > thread.divider) {
      divided = true;
      if (made.length > 1) made.push(cached("divider", "", () => el("li", { class: "divider" }, el("span", { text: "New" }))));
      last = null;
    }
    const joined = last !== null && last.kind === row.kind && author(last, ticket) === author(row, ticket) && row.at - last.at < 300;
    made.push(entry(row, ticket, joined, thread));
    last = row;
  }
  if (state.typing.has(thread.id))
    made.push(cached("typing", "", () => el("li", { class: "turn user typing-row" }, el("span", { class: "dots", "aria-label": `${nameOf(ticket)} is typing` }, el("i"), el("i"), el("i")))));
  if (!made.length) made.push(cached("empty", "", () => el("li", { class: "blank" }, el("p", { text: "Nothing has been said yet." }))));
  return made;
}

function cached(key, fresh, make) {
  const known = nodes.get(key);
  if (known && known.fresh === fresh) return known.node;
  const node = make();
  nodes.set(key, { node, fresh });
  return node;
}

function author(row, ticket) {
  if (row.kind === "user") return nameOf(ticket);
  if (row.kind === "bot") return "Bot";
  if (row.kind === "note") return row.note.author || "Frontdesk";
  return row.line?.author || row.pending?.author || row.author || "Agent";
}

function entry(row, ticket, joined, thread) {
  const unsure = row.pending && now() - row.pending.since > 20;
  const fresh = JSON.stringify([row.line?.text, row.note, row.item, unsure, ticket.state, joined, author(row, ticket), state.agent.name]);
  return cached(row.key, fresh, () => {
    if (row.kind === "system") return el("li", { class: "event" }, el("span", { text: row.line.text, dir: "auto" }), "\u00a0", time(row.at));
    if (row.kind === "note") return note(row, ticket);
    return bubble(row, ticket, joined, thread, unsure);
  });
}

const time = (at) => el("time", { text: timeOf(at), title: fullTime(at), datetime: new Date(at * 1000).toISOString() });

function note(row, ticket) {
  return el("li", { class: "note" },
    el("p", { class: "note-head" }, icon("lock"), el("strong", { text: author(row, ticket) }), " ", el("span", { text: "private note, team only" }), " ", time(row.at)),
    plain(row.note.text));
}

function bubble(row, ticket, joined, thread, unsure) {
  const who = author(row, ticket);
  const mine = row.kind === "agent" && who === state.agent.name;
  const classes = ["turn", row.kind, mine ? "mine" : "", joined ? "joined" : "", row.item?.state ?? ""].filter(Boolean).join(" ");
  const picture = row.kind === "bot" ? el("span", { class: "avatar bot-face", "aria-hidden": "true" }, icon("bot")) : avatar(who);
  return el("li", { class: classes, data: { key: row.key } },
    joined ? el("span", { class: "avatar-gap" }) : picture,
    el("div", { class: "said" },
      joined ? el("p", { class: "sr", text: mine ? "You" : who }) : el("p", { class: "by" }, el("strong", { text: mine ? "You" : who, dir: "auto" }), role(row, mine), " ", time(row.at)),
      el("div", { class: "bubble" }, ...words(row)),
      row.line?.choices.length ? el("p", { class: "choices" }, el("span", { class: "sr", text: "Choices offered: " }), ...row.line.choices.map((label) => el("span", { class: "choice", text: label, dir: "auto" }))) : null,
      delivery(row, ticket, thread, unsure)));
}

const role = (row, mine) => (row.kind === "agent" && !mine ? el("span", { class: "role", text: "agent" }) : null);

function words(row) {
  const line = row.line;
  if (!line) return [plain((row.pending ?? row.item).text)];
  const said = line.nodes.length ? [el("div", { class: "markup", dir: "auto" }, ...built(line.nodes))] : line.text ? [plain(line.text)] : [];
  const files = line.files.map(file);
  return said.length || files.length ? [...said, ...files] : [el("p", { class: "muted", text: "Something without words" })];
}

function file(item) {
  // "//elsewhere" begins with a slash too: only the parsed address tells whose it is.
  const own = URL.canParse(item.url, location.href) && new URL(item.url, location.href).origin === location.origin;
  const name = item.name || item.alt || "File";
  if (own && /^image\/(png|jpe?g|gif|webp)$/.test(item.type))
    return el("figure", {}, link(item.url, el("img", { src: item.url, alt: item.alt || name, loading: "lazy", width: 240, height: 160 })));
  const size = item.size > 1e6 ? `${(item.size / 1e6).toFixed(1)} MB` : item.size ? `${Math.ceil(item.size / 1e3)} kB` : "";
  return el("p", { class: "file" }, icon("file"), link(item.url, name), el("span", { class: "muted", text: size }));
}

function delivery(row, ticket, thread, unsure) {
  if (row.pending) return el("p", { class: "delivery", text: !unsure ? "On its way" : ticket.state === "closed" ? "Not confirmed: the conversation went back to the bot" : "Not confirmed yet" });
  const item = row.item;
  if (!item) return null;
  if (item.state === "sending") return el("p", { class: "delivery", text: "Sending…" });
  const edit = el("button", { type: "button", text: "Edit", on: { click: () => onEdit(thread, item) } });
  if (item.state === "held")
    return el("div", { class: "delivery held", role: "group", "aria-label": "Not sent" },
      el("span", { text: "Not sent: there is something new above." }),
      el("button", { type: "button", text: "Send anyway", on: { click: () => thread.send(item, true) } }), edit);
  return el("div", { class: "delivery failed", role: "group", "aria-label": "Not sent" },
    el("span", { text: `Not sent. ${item.problem || "The connection was lost."}` }),
    item.final ? null : el("button", { type: "button", text: "Try again", on: { click: () => thread.send(item) } }), edit);
}
