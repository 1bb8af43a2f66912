// Times as people say them. The server's clock counts: laptops are wrong more often than one thinks.

let offset = 0;

export function setNow(serverNow) {
  offset = serverNow - Date.now() / 1000;
}

export const now = () => Date.now() / 1000 + offset;

/** How long someone has been waiting: 0:42, 4:07, 1 h 12. */
export function waited(since) {
  const seconds = Math.max(0, Math.floor(now() - since));
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")}`;
  return days(Math.floor(seconds / 86400));
}

const days = (count) => (count === 1 ? "1 day" : `${count} days`);

/** The same for a screen reader, and for a sentence. */
export function waitedWords(since) {
  const minutes = Math.max(0, Math.floor((now() - since) / 60));
  if (minutes < 1) return "less than a minute";
  if (minutes < 60) return minutes === 1 ? "1 minute" : `${minutes} minutes`;
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return days(Math.floor(minutes / 1440));
}

export function urgency(since) {
  const minutes = (now() - since) / 60;
  return minutes >= 5 ? "late" : minutes >= 2 ? "soon" : "fresh";
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

const asDate = (at) => new Date((at - offset) * 1000);
export const timeOf = (at) => clock.format(asDate(at));
export const fullTime = (at) => full.format(asDate(at));
export const dayKey = (at) => asDate(at).toDateString();

export function dayOf(at) {
  const key = dayKey(at);
  if (key === dayKey(now())) return "Today";
  if (key === dayKey(now() - 86400)) return "Yesterday";
  return day.format(asDate(at));
}

export const stamp = (at) => (dayKey(at) === dayKey(now()) ? timeOf(at) : short.format(asDate(at)));
