// What this browser keeps for this agent: drafts, what was seen, unsent answers, switches. Gone with signing out.

const PREFIX = "frontdesk:";
let agent = "";

export const setAgent = (id) => (agent = id);

function key(name) {
  return `${PREFIX}${agent}:${name}`;
}

export function get(name, otherwise) {
  try {
    const found = localStorage.getItem(key(name));
    return found === null ? otherwise : JSON.parse(found);
  } catch {
    return otherwise;
  }
}

export function set(name, value) {
  try {
    if (value === null || value === "") localStorage.removeItem(key(name));
    else localStorage.setItem(key(name), JSON.stringify(value));
  } catch {
    // A full or forbidden storage costs drafts after a reload, and nothing else.
  }
}

export function forget() {
  try {
    Object.keys(localStorage).filter((name) => name.startsWith(PREFIX)).forEach((name) => localStorage.removeItem(name));
  } catch {
    // Nothing was kept.
  }
}

export const hasDraft = (ticket) => Boolean(get(`draft:${ticket}:reply`, "") || get(`draft:${ticket}:note`, ""));
