// The panel about the customer: first why a person is needed, then who it is, then what is known.

import { $, avatar, channelName, el, icon, nameOf, reasonOf } from "./dom.js";
import { isMine } from "./state.js";
import { fullTime, stamp, timeOf, waitedWords } from "./time.js";

let drawn = "";

export function render(ticket) {
  const fresh = JSON.stringify([ticket, isMine(ticket)]);
  if (drawn === fresh) return;
  drawn = fresh;
  const { person } = ticket;
  const back = el("a", { class: "icon-button back panel-back", href: `#/t/${ticket.id}`, "aria-label": "Back to the conversation" }, icon("back"));
  const sections = [
    el("div", { class: "panel-top" }, back, el("h2", { text: "About this case" })),
    el("section", { class: "handed" },
      el("h3", { text: "Why handed over" }),
      el("p", { class: "handed-reason", text: reasonOf(ticket), dir: "auto" }),
      summary(ticket) ? el("p", { class: "handed-summary", text: summary(ticket), dir: "auto" }) : null),
    el("section", {},
      el("h3", { text: "Customer" }),
      el("div", { class: "person" }, avatar(nameOf(ticket)),
        el("div", {}, el("p", { class: "person-name", text: nameOf(ticket), dir: "auto" }),
          el("p", { class: person.verified ? "verified" : "muted" }, person.verified ? icon("check") : null, person.verified ? "Identity confirmed by the platform" : "Identity not confirmed by the platform"))),
      facts([
        ["Writes in", channelName(ticket.channel)],
        ["E-mail", person.email],
        ["Phone", person.phone],
        ["Language", language(person.language)],
      ])),
    Object.keys(ticket.facts).length ? el("section", {}, el("h3", { text: "What the bot found out" }), facts(Object.entries(ticket.facts))) : null,
    el("section", {},
      el("h3", { text: "Case" }),
      facts([
        ["Number", String(ticket.id)],
        ["Queue", ticket.queue],
        ["Priority", ticket.priority],
        ["Opened", `${stamp(ticket.opened_at)}${stamp(ticket.opened_at) === timeOf(ticket.opened_at) ? "" : `, ${timeOf(ticket.opened_at)}`}`, fullTime(ticket.opened_at)],
        ["With", ticket.state === "taken" ? (isMine(ticket) ? "You" : ticket.agent_name) : ""],
        ["Waited", ticket.taken_at ? waitedFor(ticket) : ""],
        ["Closed", ticket.closed_at ? `${stamp(ticket.closed_at)}: ${outcome(ticket.outcome)}` : ""],
      ])),
  ];
  $("panel").replaceChildren(...sections.filter(Boolean));
}

// The reason stands above it already.
const summary = (ticket) => ticket.summary.split("\n").filter((line) => line !== `Why: ${ticket.reason}`).join("\n").trim();

const waitedFor = (ticket) => {
  const minutes = Math.floor((ticket.taken_at - ticket.opened_at) / 60);
  return minutes < 1 ? "less than a minute" : minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

const OUTCOMES = { solved: "solved", returned: "given back to the bot" };
const outcome = (code) => OUTCOMES[code] ?? code;

function language(code) {
  try {
    return code ? new Intl.DisplayNames(undefined, { type: "language" }).of(code) : "";
  } catch {
    return code;
  }
}

function facts(pairs) {
  return el("dl", { class: "facts" }, ...pairs.filter(([, value]) => value).map(([name, value, title]) =>
    el("div", {}, el("dt", { text: name, dir: "auto" }), el("dd", { text: value, title, dir: "auto" }))));
}
