// The rail: views with counts, and a row for each conversation.

import { $, arrange, avatar, channelName, el, icon, nameOf, reasonOf } from "./dom.js";
import { hasDraft } from "./keep.js";
import { isMine, isUnread, list, state } from "./state.js";
import { stamp, urgency, waited, waitedWords } from "./time.js";

const VIEWS = { waiting: "Waiting", mine: "Mine", all: "All", closed: "Closed" };
const EMPTY = {
  waiting: ["sun", "Nobody is waiting", "New conversations appear here on their own."],
  mine: ["chat", "Nothing on your desk", "Conversations that you take over are kept here."],
  all: ["inbox", "All quiet", "Nobody waits and nobody is being helped."],
  closed: ["check", "Nothing closed yet", "What was given back to the bot can be read again here."],
};
const WHO = { user: "", bot: "Bot: ", agent: "" };

const rows = new Map();
let onView = () => {};
let onRetry = () => {};

export function setup(handlers) {
  ({ onView, onRetry } = handlers);
  for (const [view, label] of Object.entries(VIEWS)) {
    const button = el("button", { type: "button", data: { view }, on: { click: () => onView(view) } });
    button.append(label, el("span", { class: "count" }));
    $("views").append(button);
  }
  $("queue").append(el("ul", { class: "rows", id: "rows" }), el("div", { class: "blank", id: "queue-blank" }));
  // What was sorted away from under the pointer takes its place when the pointer has left.
  $("rows").addEventListener("pointerleave", render);
  setInterval(tick, 1000);
}

export function render() {
  drawViews();
  const shown = state.status === "ready" ? list(state.view) : [];
  const ids = stable(shown.map((ticket) => ticket.id));
  const byId = new Map(shown.map((ticket) => [ticket.id, ticket]));
  for (const id of rows.keys()) if (!byId.has(id)) rows.delete(id);
  arrange($("rows"), ids.map((id) => row(byId.get(id))));
  $("queue").setAttribute("aria-busy", String(state.status === "loading"));
  drawBlank(shown.length);
}

/** While the pointer is over the list, rows keep their places and new ones come last. */
function stable(ids) {
  if (!$("rows").matches(":hover")) return ids;
  const before = [...$("rows").children].map((node) => Number(node.dataset.id)).filter((id) => ids.includes(id));
  return [...before, ...ids.filter((id) => !before.includes(id))];
}

function drawViews() {
  for (const button of $("views").children) {
    const { view } = button.dataset;
    const count = view === "closed" ? "" : list(view).length;
    const unread = view === "mine" && list("mine").some(isUnread);
    button.setAttribute("aria-pressed", String(view === state.view));
    button.classList.toggle("attention", unread || (view === "waiting" && count > 0));
    const badge = button.querySelector(".count");
    badge.textContent = count === "" ? "" : String(count);
    badge.hidden = !count;
  }
}

function drawBlank(count) {
  const blank = $("queue-blank");
  if (state.status === "loading") {
    blank.replaceChildren(...Array.from({ length: 4 }, () => el("div", { class: "skeleton" })));
    blank.className = "skeletons";
    return;
  }
  blank.className = "blank";
  blank.hidden = count > 0 && state.status === "ready";
  if (state.status === "error") {
    blank.replaceChildren(
      el("p", { class: "blank-title", text: "The list could not be loaded" }),
      el("p", { text: state.problem }),
      el("button", { type: "button", text: "Try again", on: { click: () => onRetry() } }),
    );
    return;
  }
  const [picture, title, text] = EMPTY[state.view];
  blank.replaceChildren(icon(picture), el("p", { class: "blank-title", text: title }), el("p", { text }));
}

function row(ticket) {
  const fresh = JSON.stringify([
    ticket, ticket.id === state.selected, isUnread(ticket), hasDraft(ticket.id), state.typing.has(ticket.id), state.agent.id,
  ]);
  const known = rows.get(ticket.id);
  if (known?.fresh === fresh) return known.node;
  const node = known?.node ?? el("li", { data: { id: ticket.id } }, el("a", { class: "row", href: `#/t/${ticket.id}` }));
  fill(node.firstChild, ticket);
  rows.set(ticket.id, { node, fresh });
  return node;
}

function fill(anchor, ticket) {
  if (ticket.id === state.selected) anchor.setAttribute("aria-current", "true");
  else anchor.removeAttribute("aria-current");
  anchor.classList.toggle("unread", isUnread(ticket));
  anchor.replaceChildren(
    avatar(nameOf(ticket)),
    el("span", { class: "row-main" },
      el("span", { class: "row-top" },
        ticket.priority === "high" ? el("span", { class: "flag", title: "High priority" }, icon("flag"), el("span", { class: "sr", text: "High priority. " })) : null,
        el("span", { class: "row-name", text: nameOf(ticket), dir: "auto" }),
        when(ticket),
      ),
      el("span", { class: "row-middle" },
        el("span", { class: "row-reason", text: reasonOf(ticket), dir: "auto" }),
        el("span", { class: "row-channel", text: channelName(ticket.channel) })),
      el("span", { class: "row-bottom" }, preview(ticket), owner(ticket)),
    ),
  );
}

function when(ticket) {
  if (ticket.state === "closed" || !ticket.waiting_since)
    return el("time", { class: "row-time", text: stamp(ticket.closed_at || ticket.last_at) });
  const badge = el("span", { class: "wait", data: { since: ticket.waiting_since } }, icon("clock"), el("span"), el("span", { class: "sr" }));
  count(badge);
  return badge;
}

function count(badge) {
  const since = Number(badge.dataset.since);
  const text = waited(since);
  const [, shown, spoken] = badge.children;
  if (shown.textContent === text) return;
  shown.textContent = text;
  shown.setAttribute("aria-hidden", "true");
  spoken.textContent = `Waiting ${waitedWords(since)}.`;
  badge.dataset.urgency = urgency(since);
}

function preview(ticket) {
  if (state.typing.has(ticket.id)) return el("span", { class: "row-preview typing", text: "is typing…" });
  if (hasDraft(ticket.id) && isMine(ticket)) {
    return el("span", { class: "row-preview" }, el("span", { class: "draft", text: "Draft " }), ticket.preview);
  }
  const who = ticket.preview_source === "agent" ? `${isMine(ticket) ? "You" : ticket.agent_name || "Agent"}: ` : (WHO[ticket.preview_source] ?? "");
  return el("span", { class: "row-preview", text: who + (ticket.preview || "No words yet"), dir: "auto" });
}

function owner(ticket) {
  if (isUnread(ticket)) return el("span", { class: "dot" }, el("span", { class: "sr", text: "Unread" }));
  if (ticket.state === "closed" && ticket.agent_name) return el("span", { class: "chip", text: ticket.agent_name });
  if (ticket.state !== "taken") return null;
  return el("span", { class: isMine(ticket) ? "chip mine" : "chip", text: isMine(ticket) ? "You" : ticket.agent_name });
}

function tick() {
  for (const badge of document.querySelectorAll(".wait")) count(badge);
}

/** Move the focus up or down the list. */
export function step(by) {
  const anchors = [...$("rows").querySelectorAll("a.row")];
  if (!anchors.length) return;
  const at = anchors.indexOf(document.activeElement);
  const from = at >= 0 ? at : anchors.findIndex((anchor) => anchor.hasAttribute("aria-current"));
  anchors[Math.min(anchors.length - 1, Math.max(0, from < 0 ? 0 : from + by))].focus();
}
