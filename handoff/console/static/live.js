// The live line. It comes back on its own, and every time it does, the page reads everything again.

const LONGEST_SILENCE = 35000;

export class Live {
  constructor({ onState, onFrame, onResync }) {
    this.onState = onState;
    this.onFrame = onFrame;
    this.onResync = onResync;
    this.attempt = 0;
    this.socket = null;
    this.timer = 0;
    this.heard = 0;
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.onState("offline"));
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.check());
    setInterval(() => this.check(), 15000);
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    const url = new URL("/console/events", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.socket = socket;
    this.heard = Date.now();
    socket.onmessage = ({ data }) => {
      if (this.socket !== socket) return;
      this.heard = Date.now();
      const frame = JSON.parse(data);
      if (frame.type === "hello") {
        this.attempt = 0;
        this.onState("live");
        this.onResync();
      } else if (frame.type !== "alive") this.onFrame(frame);
    };
    socket.onclose = () => this.socket === socket && this.lost();
  }

  lost() {
    this.socket = null;
    this.onState(navigator.onLine ? "connecting" : "offline");
    const pause = Math.min(15000, 500 * 2 ** this.attempt) * (0.5 + Math.random() / 2);
    this.attempt += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), pause);
  }

  hurry() {
    this.attempt = 0;
    if (this.socket) this.check();
    else this.connect();
  }

  // A sleeping laptop's socket looks open for minutes. Silence is what tells.
  check() {
    const socket = this.socket;
    if (!socket) return;
    if (Date.now() - this.heard > LONGEST_SILENCE) {
      this.socket = null;
      socket.close();
      this.lost();
    } else if (socket.readyState === WebSocket.OPEN) socket.send("?");
  }
}
