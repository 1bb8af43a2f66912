// Nodes, never HTML: everything that people wrote becomes text.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  back: "M15 5l-7 7 7 7",
  about: "M12 8h.01M11 12h1v4h1M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18",
  bot: "M12 4v3M7 7h10a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2M9.5 12h.01M14.5 12h.01",
  lock: "M7 11V8a5 5 0 0 1 10 0v3M6 11h12v9H6z",
  clock: "M12 7v5l3 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  flag: "M6 21V4h11l-2 4 2 4H6",
  inbox: "M4 13l3-8h10l3 8v6H4zM4 13h5l1 3h4l1-3h5",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.4 1.4M17 17l1.4 1.4M5.6 18.4L7 17M17 7l1.4-1.4",
  chat: "M5 5h14v11h-8l-4 3v-3H5z",
};

export const $ = (id) => document.getElementById(id);

/** An element: el("p", {class: "x", text: "y", on: {click}}, child...). */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "text") node.textContent = value;
    else if (key === "on") for (const [name, fn] of Object.entries(value)) node.addEventListener(name, fn);
    else if (key === "data") Object.assign(node.dataset, value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

const TAGS = new Set([
  "p", "ul", "ol", "li", "blockquote", "em", "strong", "s", "br", "hr", "code", "pre", "span", "table", "thead", "tbody", "tr", "th", "td",
]);

/** A link that opens elsewhere, or plain text when it leads nowhere good. */
export function link(href, ...children) {
  if (!/^(https?:\/\/|mailto:|tel:|\/(?!\/))/i.test(href)) return el("span", {}, ...children);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}

/** The tree that the server made of a CommonMark text. */
export function built(nodes) {
  return nodes.map((node) => {
    if (typeof node === "string") return node;
    const [tag, ...rest] = node;
    const attributes = rest.length && typeof rest[0] === "object" && !Array.isArray(rest[0]) ? rest.shift() : {};
    if (tag === "a") return link(attributes.href ?? "", ...built(rest));
    if (tag === "h") return el("p", { class: "heading" }, ...built(rest));
    const made = el(TAGS.has(tag) ? tag : "span", {}, ...built(rest));
    if (tag === "ol" && /^\d{1,6}$/.test(attributes.start ?? "")) made.setAttribute("start", attributes.start);
    return tag === "table" ? el("div", { class: "table-frame", tabindex: "0" }, made) : made;
  });
}

const ADDRESS = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;

/** Plain words, with the addresses in them made clickable. */
export function plain(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(ADDRESS)) {
    parts.push(text.slice(from, found.index), link(found[0], found[0]));
    from = found.index + found[0].length;
  }
  parts.push(text.slice(from));
  return el("p", { class: "plain", dir: "auto" }, ...parts);
}

/** Put `nodes` into `parent` in this order, moving only what has to move. */
export function arrange(parent, nodes) {
  let at = parent.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

export function initials(name) {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...(word ?? "")][0] ?? "");
  return letters.join("").toUpperCase() || "?";
}

export function avatar(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 6;
  return el("span", { class: `avatar tint-${sum}`, "aria-hidden": "true", text: initials(name) });
}

const CHANNELS = { sms: "SMS", web: "Web chat", terminal: "Terminal", slack: "Slack", telegram: "Telegram" };
export const channelName = (name) => CHANNELS[name] ?? name;
// Two visitors without a name must still be told apart.
export const nameOf = (ticket) => ticket.person.name || `Visitor ${String(ticket.person.id ?? "").slice(1, 5)}`.trim();

export function reasonOf(ticket) {
  const text = ticket.reason.trim() || "Asked for a person";
  return text[0].toUpperCase() + text.slice(1);
}

/** Newly made ids must work on plain http too, where randomUUID is missing. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
