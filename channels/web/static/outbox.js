/* What the visitor said and the server has not stored yet. Kept by the memory, so that a reload loses nothing. */
import { h } from './dom.js';

const uuid = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, '0')).join('');

export class Outbox {
  constructor(chat) {
    this.chat = chat;
    // The page's own name for what is on its way.
    this.inflight = '';
    this.alert = h('div', { class: 'hide', role: 'alert' });
  }
  get items() { return this.chat.memory.value.outbox; }
  find(clientId) { return this.items.find((item) => item.client_id === clientId); }

  /* Show what an earlier page left here. */
  show() { for (const item of this.items) this.pending(item); }
  pending(item) {
    this.chat.log.pending(item);
    this.mark(item);
  }
  send(text, { press = null, media = [] } = {}) {
    if (!text.trim() && !media.length) return;
    const { chat } = this, item = { client_id: uuid(), text, press, media, at: Date.now() / 1000 };
    chat.memory.change((value) => {
      value.outbox.push(item);
      value.conversation ??= chat.conversation;
    });
    chat.memory.note('open', chat.isOpen ? '1' : '');
    chat.composer.stopTyping();
    this.pending(item);
    chat.log.bottom();
    chat.begin();
    this.flush();
  }
  /* One at a time, so that the order stays; the next goes when the server has stored this one. */
  flush() {
    const { line } = this.chat;
    if (line.state !== 'online' || this.inflight) return;
    const item = this.items.find((one) => !one.failed);
    if (!item) return;
    this.inflight = item.client_id;
    this.mark(item);
    line.say(item);
  }
  /* The line came or went: what was on its way may have got lost. */
  again() {
    this.inflight = '';
    this.flush();
    this.markAll();
  }

  // --- what became of it

  stored(clientId) {
    if (this.inflight === clientId) this.inflight = '';
    this.chat.memory.change((value) => {
      value.outbox = value.outbox.filter((item) => item.client_id !== clientId);
      value.conversation = this.chat.conversation;
    });
    this.chat.log.sent(clientId);
    this.flush();
  }
  /* It is in the transcript; the ack may come later, or may be lost. */
  seen(clientId) { if (this.find(clientId)) this.stored(clientId); }
  refused({ client_id: clientId, error, retry_after: wait }) {
    if (!clientId) return;
    if (wait != null) {
      setTimeout(() => { if (this.inflight === clientId) { this.inflight = ''; this.flush(); } }, wait * 1000);
      return;
    }
    if (this.inflight === clientId) this.inflight = '';
    this.edit(clientId, (item) => { item.failed = error; });
    const item = this.find(clientId), { log, w } = this.chat;
    if (item) {
      const near = log.near();
      this.mark(item);
      this.alert.textContent = `${w.failed}: ${error}`;
      if (near) log.bottom();
    }
    this.flush();
  }
  edit(clientId, change) {
    this.chat.memory.change((value) => value.outbox.filter((item) => item.client_id === clientId).forEach(change));
  }
  retry(item) {
    this.alert.textContent = '';
    this.edit(item.client_id, (one) => { delete one.failed; });
    delete item.failed;
    this.mark(item);
    this.chat.begin();
    this.flush();
    this.chat.composer.focus();
  }
  remove(item) {
    this.alert.textContent = '';
    this.chat.memory.change((value) => { value.outbox = value.outbox.filter((one) => one.client_id !== item.client_id); });
    this.chat.log.dropped(item.client_id);
    this.chat.composer.focus();
  }
  /* Say below a message how it stands. */
  mark(item) {
    const node = this.chat.log.unsent.get(item.client_id), { w, line } = this.chat;
    if (!node) return;
    const state = node.querySelector('.state');
    node.classList.toggle('failed', !!item.failed);
    node.classList.add('unsent');
    if (item.failed) {
      const act = (name, press) => h('button', { type: 'button', onclick: press }, name);
      state.replaceChildren(h('span', { dir: 'auto' }, `${w.failed}. ${item.failed} `), act(w.retry, () => this.retry(item)), act(w.remove, () => this.remove(item)));
    } else state.textContent = this.inflight === item.client_id || line.state === 'online' ? w.sending : w.waiting;
  }
  markAll() { for (const item of this.items) this.mark(item); }
}
