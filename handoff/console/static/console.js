// The console: brings the views, the server and the keyboard together.

import * as api from "./api.js";
import * as composer from "./composer.js";
import { $, channelName, el, icon, nameOf, reasonOf } from "./dom.js";
import * as keep from "./keep.js";
import { Live } from "./live.js";
import * as log from "./log.js";
import * as notify from "./notify.js";
import * as panel from "./panel.js";
import * as queue from "./queue.js";
import { changed, find, isMine, listen, list, put, setTyping, state } from "./state.js";
import * as threads from "./thread.js";
import { setNow } from "./time.js";

const LINES = { live: "Live", connecting: "Reconnecting", offline: "Offline" };

// --- reading

let reading = null;

function readQueue() {
  reading ??= read().finally(() => {
    reading = null;
  });
  return reading;
}

async function read() {
  try {
    const found = await api.queue();
    setNow(found.now);
    const first = !state.agent.id;
    state.agent = found.agent;
    state.maxText = found.max_text;
    state.tickets = new Map(found.tickets.map((ticket) => [ticket.id, ticket]));
    state.status = "ready";
    if (first) begin();
    if (state.view === "closed" || (state.selected && !find(state.selected))) await readClosed();
  } catch (problem) {
    // A list that was loaded once stays: the line above says that it may be old.
    if (state.status !== "ready") Object.assign(state, { status: "error", problem: problem.message });
  }
  changed();
}

async function readClosed() {
  const found = await api.queue("closed").catch(() => null);
  if (found) state.closed = found.tickets;
  changed();
}

function begin() {
  keep.setAgent(state.agent.id);
  notify.setup();
  $("keys-on").checked = keep.get("keys", true);
  $("enter-sends").checked = keep.get("enter-sends", true);
  state.view = keep.get("view", "waiting");
}

// --- the live line

function onFrame(frame) {
  if (frame.type === "typing") return setTyping(frame.ticket, frame.on);
  if (frame.type === "notes") return void threads.known(frame.ticket)?.sync();
  if (frame.type !== "ticket") return undefined;
  const ticket = frame.ticket;
  const before = put(ticket);
  if (ticket.last_seq > (before?.last_seq ?? 0)) setTyping(ticket.id, false);
  if (state.selected === ticket.id) threads.known(ticket.id)?.sync();
  tell(ticket, before);
  return undefined;
}

function tell(ticket, before) {
  if (!before && ticket.state === "waiting") {
    notify.announce(`New conversation: ${nameOf(ticket)}. ${reasonOf(ticket)}`);
    notify.chime();
  } else if (isMine(ticket) && before && ticket.last_seq > before.last_seq && ticket.preview_source === "user") {
    notify.announce(`${nameOf(ticket)} wrote: ${ticket.preview}`);
    if (document.hidden || state.selected !== ticket.id) notify.chime();
  }
}

let cutOff = 0;

function onState(line) {
  $("line").dataset.state = line;
  $("line").textContent = LINES[line];
  $("line").title = line === "live" ? "Everything you see is up to date" : "What you write is kept and can be sent again";
  clearTimeout(cutOff);
  // A reconnect within a blink is nobody's business.
  if (line === "live") document.body.classList.remove("cut-off");
  else cutOff = setTimeout(() => document.body.classList.add("cut-off"), line === "offline" ? 0 : 1500);
}

async function onResync() {
  await readQueue();
  threads.resync(state.selected);
  const thread = state.selected && threads.known(state.selected);
  // What failed for want of a connection goes out on its own; its id makes that safe.
  for (const item of thread ? thread.unsent.filter((one) => one.state === "failed" && !one.final) : []) thread.send(item);
}

// --- where we are

function route() {
  const [, number, about] = location.hash.match(/^#\/t\/(\d{1,15})(\/about)?$/) ?? [];
  const id = Number(number ?? 0);
  document.body.dataset.pane = id ? (about ? "about" : "thread") : "queue";
  if (id === state.selected) return;
  const previous = threads.known(state.selected);
  if (previous) previous.divider = previous.lastSeq;
  state.selected = id;
  if (id) {
    const thread = threads.open(id);
    thread.divider = keep.get(`seen:${id}`, 0);
    thread.sync();
    $("back").href = "#/";
    $("about").href = $("why").href = `#/t/${id}/about`;
  }
  changed();
}

function setView(view) {
  state.view = view;
  keep.set("view", view);
  if (view === "closed") readClosed();
  changed();
}

// --- doing

async function takeOver(insteadOf = "") {
  const id = state.selected;
  const ticket = find(id);
  if (!ticket || (insteadOf && !confirm(`Take over from ${ticket.agent_name}? They can't answer any more.`))) return;
  $("problem").textContent = "";
  $("thread").setAttribute("aria-busy", "true");
  try {
    const done = await api.take(id, insteadOf);
    put(done.ticket);
    if (!done.delivered) $("problem").textContent = "You have it. The bot has not confirmed yet; that can take a moment.";
    notify.announce(`You have taken over from the bot. ${reasonOf(ticket)}`);
    if (state.view === "waiting") setView("mine");
    composer.setMode("reply", false);
    requestAnimationFrame(() => requestAnimationFrame(() => composer.focusField()));
  } catch (problem) {
    if (problem.body.ticket) put(problem.body.ticket);
    $("problem").textContent = problem.message;
  }
  $("thread").removeAttribute("aria-busy");
  threads.known(id)?.sync();
}

function askGiveBack() {
  const ticket = find(state.selected);
  if (!ticket || !isMine(ticket)) return;
  $("give-back-text").textContent = `${nameOf(ticket)} is told that you leave, and the bot answers again.`;
  $("give-back-problem").textContent = "";
  $("give-back").showModal();
}

async function giveBack(event) {
  event.preventDefault();
  const id = state.selected;
  const thread = threads.known(id);
  const [reason, note] = [new FormData($("give-back-form")).get("reason"), $("give-back-note").value.trim()];
  if (thread?.unsent.some((item) => item.state === "sending")) {
    $("give-back-problem").textContent = "An answer is still on its way. Wait for it, or edit it first.";
    return;
  }
  try {
    put((await api.giveBack(id, { reason, note })).ticket);
    $("give-back-note").value = "";
    $("give-back").close();
    notify.announce("Given back to the bot.");
    thread?.sync();
    // The bot's first words come a moment later, and nobody announces them to us any more.
    setTimeout(() => thread?.sync(), 1500);
    $("log").focus();
  } catch (problem) {
    $("give-back-problem").textContent = problem.message;
  }
}

async function signOut() {
  await api.signOut().catch(() => {});
  keep.forget();
  location.assign("/console");
}

// --- drawing

function draw() {
  queue.render();
  notify.title();
  const ticket = find(state.selected);
  const thread = threads.known(state.selected);
  const shown = Boolean(state.selected && thread && ticket);
  $("thread").hidden = !shown;
  $("panel").hidden = !shown;
  $("nothing").hidden = shown;
  if (!shown) return drawNothing(thread);
  drawHead(ticket);
  composer.render(ticket, thread);
  log.render(thread, ticket);
  panel.render(ticket);
  return undefined;
}

function drawNothing(thread) {
  const lost = thread && ["unknown", "error"].includes(thread.status);
  const waiting = list("waiting").length;
  const title = lost ? "This conversation can't be shown" : waiting ? (waiting === 1 ? "1 person is waiting" : `${waiting} people are waiting`) : "You are all caught up";
  const text = lost ? thread.problem : waiting ? "Open a conversation to read it, then take over." : "When the bot needs a person, the conversation appears on the left.";
  const fresh = title + text;
  if ($("nothing").dataset.fresh === fresh) return;
  $("nothing").dataset.fresh = fresh;
  $("nothing").replaceChildren(
    icon(waiting ? "inbox" : "sun"), el("p", { class: "blank-title", text: title }), el("p", { text }),
    el("p", { class: "muted hint" }, el("kbd", { text: "j" }), " ", el("kbd", { text: "k" }), " move, ", el("kbd", { text: "Enter" }), " opens, ", el("kbd", { text: "?" }), " shows all keys"));
}

let head = "";
function drawHead(ticket) {
  const mine = isMine(ticket);
  const fresh = JSON.stringify([ticket.id, ticket.state, ticket.agent, mine, nameOf(ticket), ticket.reason]);
  if (head === fresh) return;
  head = fresh;
  $("who-name").textContent = nameOf(ticket);
  $("who-state").textContent = `${channelName(ticket.channel)} · ${where(ticket, mine)}`;
  $("why").replaceChildren(el("strong", { text: "Why: " }), reasonOf(ticket));
  const button = mine
    ? el("button", { type: "button", text: "Give back to bot", title: "Give back to the bot (b)", on: { click: askGiveBack } })
    : ticket.state === "waiting"
      ? el("button", { type: "button", id: "take", class: "primary", text: "Take over", title: "Take over (b)", on: { click: () => takeOver() } })
      : null;
  $("actions").replaceChildren(...(button ? [button] : []));
}

function where(ticket, mine) {
  if (ticket.state === "waiting") return "waiting for a person";
  if (ticket.state === "closed") return "back with the bot";
  return mine ? "with you" : `with ${ticket.agent_name}`;
}

// --- the keyboard: single keys, outside fields only

function keyed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !keep.get("keys", true)) return;
  if (event.target.closest("input, textarea, select, dialog, [popover]")) return;
  const ticket = find(state.selected);
  const actions = {
    j: () => queue.step(1),
    k: () => queue.step(-1),
    r: () => ticket && composer.setMode("reply", true),
    n: () => ticket && composer.setMode("note", true),
    b: () => ticket && (isMine(ticket) ? askGiveBack() : ticket.state === "waiting" && takeOver()),
    "?": () => $("help").showModal(),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

// --- start

$("menu-button").textContent = [...$("menu-button").title][0]?.toUpperCase() ?? "?";
$("back").append(icon("back"));
$("about").append(icon("about"));
queue.setup({ onView: setView, onRetry: readQueue });
log.setup({ onEdit: composer.edit });
composer.setup({ onTake: takeOver });
$("give-back-form").addEventListener("submit", giveBack);
$("give-back-cancel").addEventListener("click", () => $("give-back").close());
$("give-back-note").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("give-back-form").requestSubmit();
});
$("help-button").addEventListener("click", () => $("help").showModal());
$("keys-on").addEventListener("change", () => keep.set("keys", $("keys-on").checked));
$("enter-sends").addEventListener("change", () => keep.set("enter-sends", $("enter-sends").checked));
$("sign-out").addEventListener("click", signOut);
document.addEventListener("keydown", keyed);
document.addEventListener("visibilitychange", changed);
addEventListener("hashchange", route);
listen(draw);
await readQueue();
route();
new Live({ onState, onFrame, onResync });
setInterval(() => document.visibilityState === "visible" && readQueue(), 60000);
