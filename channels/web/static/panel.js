/* The panel: what the visitor sees of a conversation. The launcher imports it when somebody wants to chat. */
import { h, icon } from './dom.js';
import { drawDraft, join, message, stamp } from './draw.js';
import { Files } from './files.js';
import { blocks } from './markdown.js';
import { Memory } from './memory.js';
import { Line } from './transport.js';
import { wordsFor } from './words.js';

const NEAR = 48; // this close to the bottom counts as reading along

const uuid = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, '0')).join('');

export async function mount(host) {
  const sheet = new CSSStyleSheet();
  const answer = await fetch(new URL('panel.css', import.meta.url));
  if (!answer.ok) throw new Error('panel.css: ' + answer.status);
  sheet.replaceSync(await answer.text());
  host.shadowRoot.adoptedStyleSheets = [...host.shadowRoot.adoptedStyleSheets, sheet];
  return new Panel(host);
}

class Panel {
  constructor(host) {
    this.host = host;
    this.base = host.settings.base;
    this.memory = new Memory(this.base);
    this.conversation = this.memory.value.conversation;
    this.rows = new Map(); // seq -> row
    this.nodes = new Map(); // client id -> node of a message that is not in the transcript yet
    this.last = 0;
    this.epoch = '';
    this.unseen = 0;
    this.live = false;
    this.modal = matchMedia('(max-width: 480px)');
    this.line = new Line(this.base, {
      where: () => ({ conversation: this.conversation, client_id: this.memory.value.outbox[0]?.client_id ?? null, after: this.last, epoch: this.epoch }),
      heard: (frame) => this.heard(frame),
      changed: (state) => this.changedLine(state),
    });
    this.build();
    this.words();
    this.wire();
    for (const item of this.memory.value.outbox) this.pending(item);
    this.input.value = this.memory.noted('draft');
    this.grow();
    this.begin();
  }

  /* A socket only once there is something to talk about. */
  begin() {
    if (this.conversation || this.memory.value.outbox.length) this.line.start();
  }

  // --- building

  build() {
    const button = (cls, name, press) => h('button', { type: 'button', class: cls, onclick: press }, icon(name));
    this.title = h('h2', { id: 'title' });
    this.sub = h('p', { class: 'sub' });
    this.avatar = h('div', { class: 'avatar', 'aria-hidden': 'true' }, icon('bot'));
    this.more = button('icon', 'menu', () => this.menu(this.list.hidden));
    this.more.setAttribute('aria-controls', 'menu');
    this.shut = button('icon', 'close', () => this.close());
    this.save = h('button', { type: 'button', onclick: () => this.transcript() });
    this.over = h('button', { type: 'button', onclick: () => this.startOver() });
    this.list = h('div', { class: 'menu', id: 'menu', hidden: true }, this.save, this.over);
    this.banner = h('div', { class: 'banner', hidden: true });
    this.greet = h('li', { class: 'msg bot head tail', 'data-from': 'bot' });
    this.dots = h('li', { class: 'msg bot dots', 'aria-hidden': 'true', hidden: true }, h('div', { class: 'bubble' }, h('i'), h('i'), h('i')));
    this.log = h('ol', { class: 'log', part: 'log', role: 'log', 'aria-live': 'off', tabindex: '0' }, this.greet, this.dots);
    this.pill = h('button', { type: 'button', class: 'pill', hidden: true, onclick: () => { this.bottom(); this.rest(); } });
    this.files = new Files({
      settings: this.host.settings,
      words: () => this.w,
      conversation: () => this.conversation,
      opened: (conversation) => { this.conversation ??= conversation; },
      changed: () => this.grow(),
      told: (text) => { this.hint.textContent = text; },
      focus: () => this.input.focus(),
    });
    this.input = h('textarea', { rows: '1', enterkeyhint: 'send', autocomplete: 'off', dir: 'auto', 'aria-describedby': 'hint' });
    this.hint = h('p', { class: 'hint', id: 'hint', role: 'status', dir: 'auto' });
    this.pick = h('input', { type: 'file', multiple: true, hidden: true, accept: this.host.settings.uploadTypes.join(',') });
    this.clip = button('icon', 'clip', () => this.pick.click());
    this.go = h('button', { type: 'submit', class: 'go' }, icon('send'));
    this.form = h('form', { class: 'composer', part: 'composer' }, this.files.tray, h('div', { class: 'row' }, this.clip, this.input, this.go), this.hint, this.pick);
    this.said = h('div', { class: 'hide', 'aria-live': 'polite' });
    this.status = h('div', { class: 'hide', role: 'status' });
    this.alert = h('div', { class: 'hide', role: 'alert' });
    this.box = h('dialog', { class: 'panel', part: 'panel', 'aria-labelledby': 'title' },
      h('header', { class: 'top', part: 'header' }, this.avatar, h('div', { class: 'who' }, this.title, this.sub), this.more, this.shut, this.list),
      this.banner, h('div', { class: 'middle' }, this.log, this.pill), this.form, this.said, this.status, this.alert);
    this.host.root.append(this.box);
  }

  words() {
    const w = this.w = wordsFor(this.host.language);
    const label = (node, text) => { node.setAttribute('aria-label', text); node.title = text; };
    label(this.more, w.menu);
    label(this.shut, w.close);
    label(this.clip, w.attach);
    label(this.go, w.send);
    this.log.setAttribute('aria-label', w.conversation);
    this.input.setAttribute('aria-label', w.write);
    this.input.placeholder = w.write;
    this.save.textContent = w.transcript;
    this.over.textContent = w.over;
    this.box.dataset.drop = w.drop;
    this.greet.replaceChildren(h('div', { class: 'bubble', part: 'message', dir: 'auto' }, ...blocks(this.host.settings.greeting)));
    this.greet.hidden = !this.host.settings.greeting;
    this.menu(false);
    this.presence();
    this.count();
    for (const node of this.log.querySelectorAll('[data-at]')) stamp(node, this.host.language);
    for (const item of this.memory.value.outbox) this.mark(item);
  }
  changed(name) {
    if (name === 'lang' || name === 'greeting') this.words();
  }

  wire() {
    this.form.addEventListener('submit', (event) => { event.preventDefault(); this.submit(); });
    this.input.addEventListener('input', () => { this.grow(); this.sayTyping(); this.memory.note('draft', this.input.value); });
    this.input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.submit();
    });
    this.box.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();
      if (this.list.hidden) this.close();
      else { this.menu(false); this.more.focus(); }
    });
    this.box.addEventListener('cancel', (event) => { event.preventDefault(); this.close(); });
    this.box.addEventListener('click', (event) => { if (!event.target.closest('.menu, .icon')) this.menu(false); });
    // A log that has just become smaller or larger scrolls by itself, which says nothing about where the visitor reads.
    this.log.addEventListener('scroll', () => { if (this.log.clientHeight === this.height) this.count(); }, { passive: true });
    this.pick.addEventListener('change', () => { this.files.add(this.pick.files); this.pick.value = ''; this.input.focus(); });
    this.input.addEventListener('paste', (event) => {
      if (event.clipboardData?.files.length) { event.preventDefault(); this.files.add(event.clipboardData.files); }
    });
    for (const type of ['dragover', 'dragleave', 'drop']) {
      this.box.addEventListener(type, (event) => {
        if (!event.dataTransfer?.types.includes('Files')) return;
        event.preventDefault();
        this.box.classList.toggle('dropping', type === 'dragover');
        if (type === 'drop') this.files.add(event.dataTransfer.files);
      });
    }
    this.modal.addEventListener('change', () => {
      if (!this.isOpen) return;
      const atEnd = this.atEnd;
      this.conceal();
      this.reveal();
      if (atEnd) this.bottom();
    });
    // A smaller window, a keyboard or a longer draft must not hide the newest line from who reads along.
    new ResizeObserver(() => {
      this.height = this.log.clientHeight;
      if (this.atEnd) this.bottom(); else this.count();
    }).observe(this.log);
    const fit = () => {
      this.box.style.setProperty('--height', `${visualViewport.height}px`);
      this.box.style.setProperty('--offset', `${visualViewport.offsetTop}px`);
    };
    if (window.visualViewport) { for (const type of ['resize', 'scroll']) visualViewport.addEventListener(type, fit); fit(); }
    document.addEventListener('visibilitychange', () => this.read());
    this.memory.onchange(() => {
      const { conversation } = this.memory.value;
      if (conversation !== this.conversation) this.follow(conversation);
    });
  }
  /* Another tab began (or left) a conversation. */
  follow(conversation) {
    this.clear();
    this.conversation = conversation;
    this.line.stop();
    this.begin();
  }
  clear() {
    for (const node of [...this.log.children]) if (node !== this.greet && node !== this.dots) node.remove();
    this.rows.clear();
    this.nodes.clear();
    this.last = this.unseen = 0;
    this.epoch = '';
    this.live = false;
    this.agent = '';
    this.passed = false;
    this.draftNode = null;
    this.host.unread = 0;
    this.presence();
    this.count();
  }

  // --- open and close

  get isOpen() { return this.box.open || this.shown; }
  reveal() {
    this.shown = true;
    if (this.modal.matches) {
      this.box.removeAttribute('popover');
      if (!this.box.open) this.box.showModal();
    } else {
      this.box.popover = 'manual';
      if (this.box.showPopover) this.box.showPopover(); else this.box.show();
    }
  }
  conceal() {
    this.shown = false;
    if (this.box.matches(':popover-open')) this.box.hidePopover();
    if (this.box.open) this.box.close();
  }
  open(byUser) {
    if (!this.isOpen) {
      const focused = this.host.ownerDocument.activeElement;
      this.reveal();
      this.grow();
      this.host.shown(true);
      this.memory.note('open', '1');
      if (this.live) this.divide();
      if (this.unseen) this.toNews(); else this.bottom();
      this.read();
      if (!byUser && focused && focused !== document.body) focused.focus();
    }
    if (byUser) this.rest();
  }
  /* Where the focus waits. A finger's keyboard would cover half of the chat, so it comes only when the field is touched. */
  rest() { (matchMedia('(pointer: coarse)').matches ? this.log : this.input).focus({ preventScroll: true }); }
  close() {
    if (!this.isOpen) return;
    this.menu(false);
    const inside = this.host.shadowRoot.activeElement;
    this.conceal();
    this.host.shown(false);
    this.memory.note('open', '');
    if (inside) this.host.button.focus();
  }
  menu(show) {
    this.list.hidden = !show;
    this.more.setAttribute('aria-expanded', String(show));
    this.over.textContent = this.w.over;
    delete this.over.dataset.sure;
    if (show) this.save.focus();
  }

  /* How lines are drawn right now. */
  get view() {
    const press = (choice, group) => {
      if (!group.isConnected) return;
      this.send(choice.label, { press: { token: choice.token, label: choice.label } });
      this.rest();
    };
    return { w: this.w, language: this.host.language, base: this.base, press };
  }

  // --- saying

  prefill(text) { this.input.value = text; this.grow(); this.open(true); }
  submit() {
    if (this.go.getAttribute('aria-disabled') === 'true') return;
    const media = this.files.take();
    const text = this.input.value;
    this.input.value = '';
    this.hint.textContent = '';
    this.grow();
    this.memory.note('draft', '');
    this.send(text, { media });
    this.input.focus();
  }
  send(text, { press = null, media = [] } = {}) {
    if (!text.trim() && !media.length) return;
    const item = { client_id: uuid(), text, press, media, at: Date.now() / 1000 };
    this.memory.change((value) => {
      value.outbox.push(item);
      value.conversation ??= this.conversation;
    });
    this.memory.note('open', this.isOpen ? '1' : '');
    this.stopTyping();
    this.pending(item);
    this.bottom();
    this.begin();
    this.flush();
  }
  /* One at a time, so that the order stays; the next goes when the server has stored this one. */
  flush() {
    if (this.line.state !== 'online' || this.inflight) return;
    const item = this.memory.value.outbox.find((one) => !one.failed);
    if (!item) return;
    this.inflight = item.client_id;
    this.mark(item);
    this.line.say(item);
  }
  settle(clientId, failed = '') {
    if (this.inflight === clientId) this.inflight = '';
    this.memory.change((value) => {
      if (!failed) value.outbox = value.outbox.filter((item) => item.client_id !== clientId);
      else for (const item of value.outbox) if (item.client_id === clientId) item.failed = failed;
      if (!failed) value.conversation = this.conversation;
    });
    const item = this.memory.value.outbox.find((one) => one.client_id === clientId);
    if (!item) return;
    const near = this.near();
    this.mark(item);
    this.alert.textContent = `${this.w.failed}: ${failed}`;
    if (near) this.bottom();
  }
  retry(item, again) {
    this.alert.textContent = '';
    this.memory.change((value) => {
      if (again) for (const one of value.outbox) { if (one.client_id === item.client_id) delete one.failed; }
      else value.outbox = value.outbox.filter((one) => one.client_id !== item.client_id);
    });
    if (again) { delete item.failed; this.mark(item); this.begin(); this.flush(); }
    else { this.nodes.get(item.client_id)?.remove(); this.nodes.delete(item.client_id); }
    this.input.focus();
  }
  pending(item) {
    const row = { seq: 0, from: 'user', kind: 'message', text: item.press ? item.press.label : item.text, at: item.at, media: item.media || [], choices: [] };
    const node = message(row, this.view);
    this.nodes.set(item.client_id, node);
    this.log.insertBefore(node, this.dots);
    join(node, this.host.language);
    this.answered();
    this.mark(item);
  }
  mark(item) {
    const node = this.nodes.get(item.client_id), w = this.w;
    if (!node) return;
    const state = node.querySelector('.state');
    node.classList.toggle('failed', !!item.failed);
    node.classList.add('unsent');
    if (item.failed) {
      const act = (name, again) => h('button', { type: 'button', onclick: () => this.retry(item, again) }, name);
      state.replaceChildren(h('span', { dir: 'auto' }, `${w.failed}. ${item.failed} `), act(w.retry, true), act(w.remove, false));
    } else state.textContent = this.inflight === item.client_id ? w.sending : this.line.state === 'online' ? w.sending : w.waiting;
  }
  sayTyping() {
    if (this.line.state !== 'online' || !this.conversation) return;
    if (!this.typingOn) this.line.typing(true);
    clearTimeout(this.typingOn);
    this.typingOn = setTimeout(() => this.stopTyping(), 4000);
  }
  stopTyping() {
    if (this.typingOn) this.line.typing(false);
    clearTimeout(this.typingOn);
    this.typingOn = 0;
  }

  // --- hearing

  changedLine(state) {
    clearTimeout(this.worry);
    const w = this.w;
    if (state === 'online') {
      if (!this.banner.hidden) this.status.textContent = w.online;
      this.banner.hidden = true;
      this.inflight = '';
      this.flush();
    } else if (state === 'offline') {
      this.inflight = '';
      this.dotsOff();
      // A blink of the line is nobody's concern.
      this.worry = setTimeout(() => {
        this.banner.textContent = navigator.onLine ? w.reconnecting : w.offline;
        this.banner.hidden = false;
        this.status.textContent = this.banner.textContent;
      }, navigator.onLine ? 1500 : 0);
    }
    for (const item of this.memory.value.outbox) this.mark(item);
    this.box.dataset.line = state;
  }
  heard(frame) {
    const kinds = {
      welcome: () => {
        if (this.epoch && frame.epoch !== this.epoch) this.clear();
        this.epoch = frame.epoch;
        this.conversation = frame.conversation;
      },
      message: () => this.row(frame),
      caught_up: () => this.caughtUp(),
      ack: () => {
        this.conversation = frame.conversation;
        this.settle(frame.client_id);
        this.sent(frame.client_id);
        this.flush();
      },
      error: () => {
        if (!frame.client_id) return;
        if (frame.retry_after == null) { this.settle(frame.client_id, frame.error); this.flush(); return; }
        setTimeout(() => { if (this.inflight === frame.client_id) { this.inflight = ''; this.flush(); } }, frame.retry_after * 1000);
      },
      typing: () => (frame.on ? this.dotsOn() : this.dotsOff()),
      draft: () => this.draft(frame),
    };
    kinds[frame.t]?.();
  }
  sent(clientId) {
    const node = this.nodes.get(clientId);
    if (!node) return;
    node.classList.remove('unsent', 'failed');
    for (const other of this.log.querySelectorAll('.state.done')) other.textContent = '';
    const state = node.querySelector('.state');
    state.textContent = this.w.sent;
    state.classList.add('done');
  }
  row(row) {
    if (this.rows.has(row.seq) || row.seq <= this.last) return;
    this.last = row.seq;
    if (row.takes_back) return this.takeBack(row.takes_back);
    this.rows.set(row.seq, row);
    const near = this.near(), mine = row.from === 'user', w = this.w;
    let node = mine && row.client_id ? this.nodes.get(row.client_id) : null;
    if (node) {
      this.nodes.delete(row.client_id);
      if (this.memory.value.outbox.some((item) => item.client_id === row.client_id)) {
        this.nodes.set(row.client_id, node);
        this.settle(row.client_id);
        this.sent(row.client_id);
        this.nodes.delete(row.client_id);
        this.flush();
      }
    } else node = message(row, this.view);
    node.dataset.seq = row.seq;
    node.dataset.at = row.at;
    stamp(node, this.host.language);
    const draft = this.draftNode;
    // What is not stored yet stays below what is, but nothing moves while an answer grows: what was asked stays above
    // it, and the finished answer takes its place, above what was written meanwhile.
    const first = [...this.nodes.values()].find((other) => other.isConnected && other !== node);
    if (draft && !mine) draft.before(node);
    else if (!draft || !(node.compareDocumentPosition(draft) & Node.DOCUMENT_POSITION_FOLLOWING) || !node.isConnected) this.log.insertBefore(node, first || this.dots);
    if (!mine) { this.dotsOff(); this.draftText = null; draft?.remove(); this.draftNode = null; }
    join(node, this.host.language);
    if (mine) this.answered(row.seq);
    if (!mine) {
      // A notice tells that the conversation changes hands; who has it now is seen when they speak.
      this.passed = row.kind === 'notice';
      if (!this.passed) this.agent = row.from === 'agent' ? row.author || w.human : '';
      this.presence();
    }
    if (this.live && !mine) this.announce(node, row);
    if (!mine && row.seq > this.memory.value.read && !(this.isOpen && near && !document.hidden)) { this.unseen += 1; }
    this.count();
    this.read();
    if (this.live && (near || mine)) this.bottom();
    if (this.live) this.host.emit('message', { from: row.from, text: row.text });
  }
  takeBack(seq) {
    const node = this.log.querySelector(`[data-seq="${seq}"]`), next = node?.nextElementSibling;
    this.rows.delete(seq);
    node?.remove();
    if (next) join(next, this.host.language);
    this.count();
    this.read();
  }
  caughtUp() {
    if (!this.live) {
      this.live = true;
      this.divide();
      if (this.isOpen && this.unseen) this.toNews(); else this.bottom();
    }
    this.read();
    this.flush();
  }
  /* A line above what the visitor has not seen yet. */
  divide() {
    const read = this.memory.value.read;
    const fresh = read && [...this.log.querySelectorAll('.msg[data-seq]:not([data-from=user])')].find((node) => Number(node.dataset.seq) > read);
    this.divider?.remove();
    if (fresh) fresh.before(this.divider = h('li', { class: 'divider' }, h('span', {}, this.w.newLine)));
  }
  /* Has the visitor seen it? Then it is not news, here and in other tabs. */
  read() {
    const seen = this.isOpen && !document.hidden;
    if (seen && this.live && this.last > this.memory.value.read && this.conversation) this.memory.change((value) => { value.read = this.last; });
    let unread = 0;
    if (!seen) for (const row of this.rows.values()) if (row.from !== 'user' && row.seq > this.memory.value.read) unread += 1;
    this.host.unread = unread;
  }
  announce(node, row) {
    const words = [...node.querySelectorAll('.bubble, .card, .notice')].map((part) => part.innerText || part.textContent).join(' ');
    const choices = row.choices.length ? `. ${this.w.choices}: ${row.choices.map((choice) => choice.label).join(', ')}` : '';
    const line = h('p', {}, `${row.author || this.w[row.from === 'agent' ? 'human' : 'bot']}: ${words}${choices}`);
    this.said.append(line);
    setTimeout(() => line.remove(), 4000);
  }

  // --- what is fleeting

  dotsOn() {
    clearTimeout(this.dotTimer);
    this.dotTimer = setTimeout(() => {
      const near = this.near();
      this.dots.hidden = false;
      this.status.textContent = this.w.typing(this.agent || this.w.bot);
      if (near) this.bottom();
      this.dotTimer = setTimeout(() => this.dotsOff(), 6000);
    }, this.dots.hidden ? 500 : 0);
  }
  dotsOff() {
    clearTimeout(this.dotTimer);
    if (this.dots.hidden) return;
    this.dots.hidden = true;
    this.status.textContent = '';
  }
  draft({ text }) {
    this.draftText = text;
    if (this.draftFrame) return;
    this.draftFrame = requestAnimationFrame(() => {
      this.draftFrame = 0;
      if (this.draftText === null) return;
      this.dotsOff();
      const near = this.near();
      if (!this.draftNode) {
        this.draftNode = h('li', { class: 'msg bot draft', 'data-from': 'bot', 'aria-hidden': 'true' }, h('div', { class: 'bubble', dir: 'auto' }));
        this.draftNode.parts = [];
        this.log.insertBefore(this.draftNode, this.dots);
        join(this.draftNode, this.host.language);
      }
      drawDraft(this.draftNode.firstChild, this.draftNode.parts, this.draftText);
      if (near) this.bottom();
    });
  }
  /* Once the visitor has said something, earlier choices are gone. */
  answered(before = Infinity) {
    for (const node of this.log.querySelectorAll('.quick')) {
      const seq = Number(node.closest('.msg').dataset.seq || 0);
      if (seq < before) node.remove();
    }
  }
  presence() {
    const w = this.w;
    this.title.textContent = this.agent || this.host.settings.title;
    this.sub.textContent = this.agent ? w.humanSub : this.passed ? w.teamSub : w.botSub;
    this.avatar.replaceChildren(this.agent ? this.agent.trim().charAt(0).toUpperCase() : icon('bot'));
    this.box.classList.toggle('human', !!this.agent);
  }
  count() {
    const near = this.atEnd = this.near();
    if (near && this.isOpen) this.unseen = 0;
    this.pill.hidden = near || !this.isOpen;
    this.pill.textContent = this.unseen ? this.w.newPill(this.unseen > 9 ? '9+' : this.unseen) : '↓';
    this.pill.setAttribute('aria-label', this.unseen ? this.pill.textContent.replace('↓ ', '') : this.w.down);
  }
  near() { return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR; }
  bottom() {
    this.log.scrollTop = this.log.scrollHeight;
    this.unseen = 0;
    this.count();
  }
  toNews() {
    if (this.divider?.isConnected) this.log.scrollTop = this.divider.offsetTop - 16; else this.bottom();
    this.count();
  }
  grow() {
    const input = this.input, over = input.value.length - this.host.settings.maxText;
    input.style.height = 'auto';
    // While the panel is hidden nothing has a height.
    input.style.height = input.scrollHeight ? `${Math.min(input.scrollHeight, 24 * 5 + 20)}px` : '';
    if (over > 0) this.hint.textContent = this.w.tooLong(over);
    else if (this.overlong) this.hint.textContent = '';
    this.overlong = over > 0;
    const ready = (input.value.trim() || this.files.list.length) && this.files.ready && over <= 0;
    this.go.setAttribute('aria-disabled', String(!ready));
  }

  // --- the menu

  transcript() {
    const w = this.w;
    const lines = [...this.rows.values()].map((row) => {
      const who = row.kind === 'notice' ? '' : (row.from === 'user' ? w.you : row.author || w[row.from === 'agent' ? 'human' : 'bot']) + ': ';
      return `[${new Date(row.at * 1000).toLocaleString(this.host.language)}] ${who}${row.text}`;
    });
    const address = URL.createObjectURL(new Blob([lines.join('\n') + '\n'], { type: 'text/plain' }));
    const node = h('a', { href: address, download: 'chat.txt' });
    node.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
    this.menu(false);
    this.more.focus();
  }
  startOver() {
    if (!this.over.dataset.sure) {
      this.over.dataset.sure = '1';
      this.over.textContent = this.w.sure;
      return;
    }
    this.line.stop();
    this.memory.forget();
    this.inflight = '';
    this.conversation = null;
    this.banner.hidden = true;
    this.clear();
    this.menu(false);
    this.rest();
  }
}
