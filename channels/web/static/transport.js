/* The line to the server: a socket that comes back by itself, or long-polling where sockets don't get through.
   It keeps no messages: whoever uses it says where to go on (`where`) and gets frames (`heard`). */
const PATIENCE = 8000;
const BEAT = 20000;
const backoff = (tries) => Math.min(30000, 400 * 2 ** tries) * (0.5 + Math.random() / 2);

export class Line {
  constructor(base, { where, heard, changed }) {
    Object.assign(this, { base: base + 'channels/web/', where, heard, changed });
    this.state = 'idle';
    this.tries = this.blocked = 0;
    this.wake = () => { if (this.state !== 'idle' && this.state !== 'online') this.connect(); };
    addEventListener('online', this.wake);
    addEventListener('pageshow', this.wake);
    addEventListener('offline', () => this.state !== 'idle' && this.lost(this.token));
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) return;
      if (this.socket?.readyState === 1) this.ask(); else this.wake();
    });
  }

  start() { if (this.state === 'idle') this.connect(); }
  stop() {
    this.drop();
    this.set('idle');
  }
  set(state) {
    if (state === this.state) return;
    this.state = state;
    this.changed(state);
  }
  drop() {
    this.token = null;
    for (const name of ['opening', 'silence', 'beat', 'again']) { clearTimeout(this[name]); this[name] = 0; }
    this.abort?.abort();
    const socket = this.socket;
    this.socket = this.abort = null;
    socket?.close();
  }

  connect() {
    this.drop();
    const token = this.token = {};
    if (this.state !== 'offline') this.set('connecting');
    let socket;
    try { socket = new WebSocket(this.base.replace(/^http/, 'ws') + 'ws'); } catch { return void this.fallBack(); }
    this.socket = socket;
    let welcome = false;
    const gone = () => { if (token === this.token) { if (welcome) this.lost(token); else this.fallBack(); } };
    this.opening = setTimeout(gone, PATIENCE);
    socket.onopen = () => socket.send(JSON.stringify({ t: 'hello', ...this.where() }));
    socket.onclose = gone;
    socket.onmessage = (event) => {
      if (token !== this.token) return;
      clearTimeout(this.silence);
      this.silence = 0;
      const frame = JSON.parse(event.data);
      if (frame.t === 'welcome') {
        welcome = true;
        clearTimeout(this.opening);
        this.tries = this.blocked = 0;
        this.heard(frame);
        this.set('online');
        this.rest();
      } else this.heard(frame);
    };
  }
  /* A line can be dead without saying so: ask now and then, and expect some answer to whatever we send. */
  rest() {
    clearTimeout(this.beat);
    this.beat = setTimeout(() => { this.ask(); this.rest(); }, BEAT);
  }
  ask() { this.write({ t: 'ping' }); }
  write(frame) {
    if (this.socket?.readyState !== 1) return;
    this.socket.send(JSON.stringify(frame));
    const token = this.token;
    this.silence ||= setTimeout(() => this.lost(token), PATIENCE);
  }
  lost(token) {
    if (token !== this.token) return;
    this.drop();
    this.set('offline');
    const mine = this.token = {};
    this.again = setTimeout(() => mine === this.token && this.connect(), navigator.onLine ? backoff(this.tries) : 30000);
    this.tries += 1;
  }

  /* --- without sockets */
  async fallBack() {
    this.drop();
    const token = this.token = {};
    let works = false;
    try { await this.fetchAfter(token, 0, true); works = true; } catch { /* then the server is away */ }
    if (token !== this.token) return;
    this.blocked = works ? this.blocked + 1 : 0;
    if (this.blocked < 2) { if (works) this.tries = 0; return this.lost(token); }
    this.drop();
    this.poll(this.token = {});
  }
  async fetchAfter(token, wait, quiet = false) {
    const { conversation, after } = this.where();
    this.abort = new AbortController();
    const timer = setTimeout(() => this.abort?.abort(), wait * 1000 + PATIENCE);
    try {
      const url = `${this.base}messages?conversation=${conversation || '0'.repeat(32)}&after=${after}&wait=${wait}`;
      const answer = await fetch(url, { signal: this.abort.signal });
      if (!answer.ok) throw new Error(answer.status);
      const { messages } = await answer.json();
      if (!quiet && token === this.token) for (const row of messages) this.heard({ t: 'message', ...row });
      return messages.length;
    } finally { clearTimeout(timer); }
  }
  async poll(token) {
    // Then see whether sockets work by now.
    const until = Date.now() + 120000;
    let first = true;
    try {
      while (token === this.token && Date.now() < until) {
        const talking = this.where().conversation;
        const wait = first || !talking ? 0 : 20;
        const count = await this.fetchAfter(token, wait);
        if (token !== this.token) return;
        if (first && !count) { first = false; this.heard({ t: 'caught_up' }); }
        this.set('online');
        if (!talking) await new Promise((done) => { this.nudge = done; setTimeout(done, 20000); });
      }
      if (token === this.token) this.connect();
    } catch { this.lost(token); }
  }

  /* Say something; an ack or an error frame with its client id follows, or the line is lost. */
  async say(item) {
    const { conversation } = this.where();
    const body = { client_id: item.client_id, text: item.text || '', upload: (item.media || []).map((media) => media.id) };
    if (item.press) Object.assign(body, { token: item.press.token, label: item.press.label });
    if (this.socket) return this.write({ t: item.press ? 'press' : 'say', ...body });
    const token = this.token, id = { client_id: item.client_id };
    try {
      const answer = await fetch(this.base + 'messages', {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ ...body, conversation }),
        signal: AbortSignal.timeout(PATIENCE * 2),
      });
      const said = await answer.json();
      if (answer.ok) this.heard({ t: 'ack', ...id, ...said });
      else this.heard({ t: 'error', ...id, error: said.error, retry_after: answer.status >= 500 || answer.status === 429 ? 2 : null });
      this.nudge?.();
    } catch { this.lost(token); }
  }
  typing(on) { if (this.socket) this.socket.readyState === 1 && this.socket.send(JSON.stringify({ t: 'typing', on })); }
}
