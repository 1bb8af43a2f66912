/* The log: the lines of a conversation in their order, where the visitor reads, and what they have not seen yet. */
import { h } from './dom.js';
import { join, message, stamp } from './draw.js';
import { Growing } from './growing.js';
import { blocks } from './markdown.js';

// This close to the bottom counts as reading along.
const NEAR = 48;

export class Log {
  constructor(chat) {
    this.chat = chat;
    // The lines by their number, and what is not stored yet by the page's own name for it.
    this.rows = new Map();
    this.unsent = new Map();
    this.last = this.unseen = 0;
    // Whether all that was said before is here.
    this.live = false;
    this.growing = new Growing(this);
    this.greet = h('li', { class: 'msg bot head tail', 'data-from': 'bot' });
    this.list = h('ol', { class: 'log', part: 'log', role: 'log', 'aria-live': 'off', tabindex: '0' }, this.greet, this.growing.dots);
    this.pill = h('button', { type: 'button', class: 'pill', hidden: true, onclick: () => { this.bottom(); chat.rest(); } });
    this.said = h('div', { class: 'hide', 'aria-live': 'polite' });
    // A list that has just become smaller or larger scrolls by itself, which says nothing about where the visitor reads.
    this.list.addEventListener('scroll', () => { if (this.list.clientHeight === this.height) this.count(); }, { passive: true });
    // A smaller window, a keyboard or a longer draft must not hide the newest line from who reads along.
    new ResizeObserver(() => {
      this.height = this.list.clientHeight;
      if (this.atEnd) this.bottom(); else this.count();
    }).observe(this.list);
  }
  get language() { return this.chat.host.language; }
  /* How lines are drawn right now. */
  get view() { return { w: this.chat.w, language: this.language, base: this.chat.base, press: (choice, group) => this.press(choice, group) }; }

  words() {
    const { greeting } = this.chat.host.settings;
    this.list.setAttribute('aria-label', this.chat.w.conversation);
    this.greet.replaceChildren(h('div', { class: 'bubble', part: 'message', dir: 'auto' }, ...blocks(greeting)));
    this.greet.hidden = !greeting;
    for (const node of this.list.querySelectorAll('[data-at]')) stamp(node, this.language);
    this.count();
  }
  clear() {
    this.growing.end();
    for (const node of [...this.list.children]) if (node !== this.greet && node !== this.growing.dots) node.remove();
    this.rows.clear();
    this.unsent.clear();
    this.last = this.unseen = 0;
    this.live = false;
    this.chat.host.unread = 0;
    this.count();
  }

  // --- lines

  /* Something that the visitor said and that is not stored yet. */
  pending(item) {
    const row = { seq: 0, from: 'user', kind: 'message', text: item.press ? item.press.label : item.text, at: item.at, media: item.media || [], choices: [] };
    const node = message(row, this.view);
    this.unsent.set(item.client_id, node);
    this.list.insertBefore(node, this.growing.dots);
    join(node, this.language);
    this.answered();
  }
  sent(clientId) {
    const node = this.unsent.get(clientId);
    if (!node) return;
    node.classList.remove('unsent', 'failed');
    for (const other of this.list.querySelectorAll('.state.done')) other.textContent = '';
    const state = node.querySelector('.state');
    state.textContent = this.chat.w.sent;
    state.classList.add('done');
  }
  dropped(clientId) {
    this.unsent.get(clientId)?.remove();
    this.unsent.delete(clientId);
  }
  /* A line of the transcript. */
  row(row) {
    if (this.rows.has(row.seq) || row.seq <= this.last) return;
    this.last = row.seq;
    if (row.takes_back) return this.takeBack(row.takes_back);
    this.rows.set(row.seq, row);
    const chat = this.chat, near = this.near(), mine = row.from === 'user';
    const known = mine && this.unsent.get(row.client_id);
    if (known) {
      chat.outbox.seen(row.client_id);
      this.unsent.delete(row.client_id);
    }
    const node = known || message(row, this.view);
    node.dataset.seq = row.seq;
    node.dataset.at = row.at;
    stamp(node, this.language);
    this.place(node, mine);
    if (mine) this.answered(row.seq);
    else {
      chat.header.heard(row);
      if (this.live) this.announce(node, row);
      if (row.seq > chat.memory.value.read && !(chat.isOpen && near && !document.hidden)) this.unseen += 1;
    }
    this.count();
    this.read();
    if (!this.live) return;
    if (near || mine) this.bottom();
    chat.host.emit('message', { from: row.from, text: row.text });
  }
  /* What is not stored yet stays below what is. But nothing moves while an answer grows: what was asked stays above it,
     and the finished answer takes its place, above what was written meanwhile. */
  place(node, mine) {
    const growing = this.growing.node;
    const first = [...this.unsent.values()].find((other) => other.isConnected);
    if (growing && !mine) growing.before(node);
    else if (!growing || !node.isConnected || !(node.compareDocumentPosition(growing) & Node.DOCUMENT_POSITION_FOLLOWING)) {
      this.list.insertBefore(node, first || this.growing.dots);
    }
    if (!mine) this.growing.end();
    join(node, this.language);
  }
  takeBack(seq) {
    const node = this.list.querySelector(`[data-seq="${seq}"]`), next = node?.nextElementSibling;
    this.rows.delete(seq);
    node?.remove();
    if (next) join(next, this.language);
    this.count();
    this.read();
  }
  caughtUp() {
    if (!this.live) {
      this.live = true;
      this.divide();
      if (this.chat.isOpen && this.unseen) this.toNews(); else this.bottom();
    }
    this.read();
  }
  announce(node, row) {
    const w = this.chat.w, words = [...node.querySelectorAll('.bubble, .card, .notice')].map((part) => part.innerText || part.textContent).join(' ');
    const choices = row.choices.length ? `. ${w.choices}: ${row.choices.map((choice) => choice.label).join(', ')}` : '';
    const line = h('p', {}, `${row.author || w[row.from === 'agent' ? 'human' : 'bot']}: ${words}${choices}`);
    this.said.append(line);
    setTimeout(() => line.remove(), 4000);
  }

  // --- choices

  press(choice, group) {
    if (!group.isConnected) return;
    this.chat.outbox.send(choice.label, { press: { token: choice.token, label: choice.label } });
    this.chat.rest();
  }
  /* Once the visitor has said something, earlier choices are gone. */
  answered(before = Infinity) {
    for (const node of this.list.querySelectorAll('.quick')) {
      const seq = Number(node.closest('.msg').dataset.seq || 0);
      if (seq < before) node.remove();
    }
  }

  // --- what was seen

  opened() {
    if (this.live) this.divide();
    if (this.unseen) this.toNews(); else this.bottom();
    this.read();
  }
  /* A line above what the visitor has not seen yet. */
  divide() {
    const { read } = this.chat.memory.value;
    const fresh = read && [...this.list.querySelectorAll('.msg[data-seq]:not([data-from=user])')].find((node) => Number(node.dataset.seq) > read);
    this.divider?.remove();
    if (fresh) fresh.before(this.divider = h('li', { class: 'divider' }, h('span', {}, this.chat.w.newLine)));
  }
  /* Has the visitor seen it? Then it is not news, here and in other tabs. */
  read() {
    const { isOpen, conversation, memory, host } = this.chat, seen = isOpen && !document.hidden;
    if (seen && this.live && this.last > memory.value.read && conversation) memory.change((value) => { value.read = this.last; });
    let unread = 0;
    if (!seen) for (const row of this.rows.values()) if (row.from !== 'user' && row.seq > memory.value.read) unread += 1;
    host.unread = unread;
  }
  count() {
    const { isOpen, w } = this.chat, near = this.atEnd = this.near();
    if (near && isOpen) this.unseen = 0;
    this.pill.hidden = near || !isOpen;
    this.pill.textContent = this.unseen ? w.newPill(this.unseen > 9 ? '9+' : this.unseen) : '↓';
    this.pill.setAttribute('aria-label', this.unseen ? this.pill.textContent.replace('↓ ', '') : w.down);
  }
  near() { return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR; }
  bottom() {
    this.list.scrollTop = this.list.scrollHeight;
    this.count();
  }
  toNews() {
    if (this.divider?.isConnected) this.list.scrollTop = this.divider.offsetTop - 16; else this.bottom();
    this.count();
  }
}
