// Telling an agent that someone waits: in the title, to screen readers, and with a sound for those who want one.

import { $, el } from "./dom.js";
import * as keep from "./keep.js";
import { isUnread, list } from "./state.js";

let sound = null;
let lastSound = 0;

export function setup() {
  const button = $("sound");
  const draw = () => button.setAttribute("aria-pressed", String(keep.get("sound", false)));
  button.addEventListener("click", () => {
    keep.set("sound", !keep.get("sound", false));
    draw();
    chime();
  });
  draw();
}

export function title() {
  const count = list("waiting").length + list("mine").filter(isUnread).length;
  const text = count ? `(${count}) Frontdesk console` : "Frontdesk console";
  if (document.title !== text) document.title = text;
}

/** Say something to screen readers, once. */
export function announce(text) {
  const line = el("p", { text });
  $("announcer").append(line);
  setTimeout(() => line.remove(), 4000);
}

/** Two soft notes, at most once in three seconds. */
export function chime() {
  if (!keep.get("sound", false) || Date.now() - lastSound < 3000) return;
  lastSound = Date.now();
  sound ??= new AudioContext();
  for (const [pitch, at] of [[660, 0], [880, 0.14]]) {
    const [tone, volume] = [sound.createOscillator(), sound.createGain()];
    const start = sound.currentTime + at;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.12, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.35);
    tone.connect(volume).connect(sound.destination);
    tone.start(start);
    tone.stop(start + 0.4);
  }
}
