// Where agents write: an answer, or a note that only the team sees. Drafts are kept for each conversation and mode.

import * as api from "./api.js";
import { $, el, icon, nameOf, newId } from "./dom.js";
import * as keep from "./keep.js";
import { changed, isMine, state } from "./state.js";

let shown = null;
let thread = null;
let onTake = () => {};
let lastTyping = 0;
let noteId = "";

const TEXTS = {
  reply: { hint: "The customer sees this", send: "Send" },
  note: { hint: "Only your team sees this", send: "Add note" },
};

export function setup(handlers) {
  ({ onTake } = handlers);
  $("mode-reply").addEventListener("click", () => setMode("reply", true));
  $("mode-note").addEventListener("click", () => setMode("note", true));
  for (const button of [$("mode-reply"), $("mode-note")]) button.addEventListener("keydown", arrows);
  $("text").addEventListener("input", typed);
  $("text").addEventListener("keydown", keyed);
  $("text").addEventListener("blur", () => stopTyping());
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
}

const mode = () => $("composer").dataset.mode;
const draftKey = (which = mode()) => `draft:${shown.id}:${which}`;

export function render(ticket, of) {
  const switched = shown?.id !== ticket.id;
  const wasMine = shown && !switched && isMine(shown);
  shown = ticket;
  thread = of;
  if (switched) load(keep.get(`mode:${ticket.id}`, "reply"));
  const locked = mode() === "reply" && !isMine(ticket);
  const focused = $("locked").contains(document.activeElement);
  $("locked").hidden = !locked;
  $("field").hidden = locked;
  if (locked) drawLocked(ticket);
  else if (focused || (!wasMine && !switched && isMine(ticket) && $("thread").contains(document.activeElement))) $("text").focus();
  $("text").placeholder = mode() === "note" ? "Write a private note" : `Answer ${nameOf(ticket)}`;
  $("text").setAttribute("aria-label", mode() === "note" ? "Private note" : `Answer ${nameOf(ticket)}`);
  $("send").disabled = !$("text").value.trim();
}

function drawLocked(ticket) {
  const fresh = `${ticket.state}:${ticket.agent}`;
  const box = $("locked");
  if (box.dataset.fresh === fresh && box.firstChild) return;
  box.dataset.fresh = fresh;
  const button = (text, insteadOf) => el("button", { type: "button", class: "primary", text, title: "Take over (b)", on: { click: () => onTake(insteadOf) } });
  if (ticket.state === "waiting") box.replaceChildren(icon("lock"), el("span", { text: "Take over to answer. The bot stays silent from now on." }), button("Take over", ""));
  else if (ticket.state === "taken") box.replaceChildren(icon("lock"), el("span", { text: `${ticket.agent_name} has this conversation.` }), el("button", { type: "button", text: `Take over from ${ticket.agent_name}`, on: { click: () => onTake(ticket.agent) } }));
  else box.replaceChildren(icon("check"), el("span", { text: "This conversation is back with the bot." }));
}

function load(which) {
  const chosen = which === "note" ? "note" : "reply";
  $("composer").dataset.mode = chosen;
  for (const name of ["reply", "note"]) {
    $(`mode-${name}`).setAttribute("aria-checked", String(name === chosen));
    $(`mode-${name}`).tabIndex = name === chosen ? 0 : -1;
  }
  $("mode-hint").textContent = TEXTS[chosen].hint;
  $("send").textContent = TEXTS[chosen].send;
  $("text").value = keep.get(draftKey(chosen), "");
  $("problem").textContent = "";
  noteId = "";
  grow();
}

export function setMode(which, focus) {
  if (!shown) return;
  if (which !== mode()) {
    stopTyping();
    load(which);
    keep.set(`mode:${shown.id}`, which === "note" ? "note" : null);
    render(shown, thread);
    changed();
  }
  if (focus) focusField();
}

export function focusField() {
  const locked = $("locked").querySelector("button");
  if ($("field").hidden) locked?.focus();
  else $("text").focus();
}

function arrows(event) {
  if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  event.preventDefault();
  setMode(mode() === "note" ? "reply" : "note", false);
  $(`mode-${mode()}`).focus();
}

function grow() {
  const field = $("text");
  field.style.setProperty("height", "auto");
  field.style.setProperty("height", `${Math.min(field.scrollHeight, 168)}px`);
}

function typed() {
  keep.set(draftKey(), $("text").value);
  grow();
  $("send").disabled = !$("text").value.trim();
  changed();
  if (mode() !== "reply" || !isMine(shown)) return;
  if (!$("text").value.trim()) stopTyping();
  else if (Date.now() - lastTyping > 4000) {
    lastTyping = Date.now();
    api.typing(shown.id, true).catch(() => {});
  }
}

function stopTyping() {
  if (!lastTyping || !shown) return;
  lastTyping = 0;
  api.typing(shown.id, false).catch(() => {});
}

function keyed(event) {
  if (event.key === "Escape") $("log").focus();
  // While a word is being composed (Japanese, Chinese), Enter only accepts it.
  if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
  const mod = event.ctrlKey || event.metaKey;
  if (!mod && (event.shiftKey || !keep.get("enter-sends", true))) return;
  event.preventDefault();
  submit();
}

function submit() {
  const text = $("text").value.trim();
  if (!text || !shown) return;
  if (text.length > state.maxText) {
    $("problem").textContent = `That is ${text.length - state.maxText} characters too long. Send it in parts.`;
    return;
  }
  $("problem").textContent = "";
  if (mode() === "note") addNote(text);
  else if (isMine(shown)) {
    clear();
    lastTyping = 0;
    thread.say(text);
  }
}

async function addNote(text) {
  const [ticket, of] = [shown, thread];
  // Tried again after a failure it is the same note, not a second one.
  noteId ||= newId();
  $("send").disabled = true;
  try {
    await api.note(ticket.id, { text, client_id: noteId });
    noteId = "";
    if (shown.id === ticket.id && mode() === "note" && $("text").value.trim() === text) clear();
    else keep.set(`draft:${ticket.id}:note`, null);
    of.sync();
  } catch (problem) {
    $("problem").textContent = `The note was not added. ${problem.message}`;
    $("send").disabled = false;
  }
}

function clear() {
  keep.set(draftKey(), null);
  $("text").value = "";
  $("send").disabled = true;
  grow();
  changed();
}

/** Bring an unsent answer back into the field, before what is there. */
export function edit(of, item) {
  of.discard(item);
  const before = keep.get(`draft:${of.id}:reply`, "");
  keep.set(`draft:${of.id}:reply`, before ? `${item.text}\n${before}` : item.text);
  load("reply");
  render(shown, thread);
  focusField();
}
