/* The panel: what the visitor sees of a conversation. The launcher imports it when somebody wants to chat.
   It has the header, the log, the outbox and the composer, and tells each what it needs of the others. */
import { Composer } from './composer.js';
import { h } from './dom.js';
import { Header } from './header.js';
import { Log } from './log.js';
import { Memory } from './memory.js';
import { Outbox } from './outbox.js';
import { Line } from './transport.js';
import { wordsFor } from './words.js';

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
    this.epoch = '';
    this.modal = matchMedia('(max-width: 480px)');
    this.line = new Line(this.base, {
      where: () => ({ conversation: this.conversation, client_id: this.memory.value.outbox[0]?.client_id ?? null, after: this.log.last, epoch: this.epoch }),
      heard: (frame) => this.heard(frame),
      changed: (state) => this.changedLine(state),
    });
    this.build();
    this.words();
    this.wire();
    this.outbox.show();
    this.composer.fill(this.memory.noted('draft'));
    this.begin();
  }

  /* A socket only once there is something to talk about. */
  begin() {
    if (this.conversation || this.memory.value.outbox.length) this.line.start();
  }
  build() {
    this.header = new Header(this);
    this.log = new Log(this);
    this.outbox = new Outbox(this);
    this.composer = new Composer(this);
    this.banner = h('div', { class: 'banner', hidden: true });
    this.status = h('div', { class: 'hide', role: 'status' });
    this.box = h('dialog', { class: 'panel', part: 'panel', 'aria-labelledby': 'title' },
      this.header.node, this.banner, h('div', { class: 'middle' }, this.log.list, this.log.pill), this.composer.form, this.log.said, this.status, this.outbox.alert);
    this.host.root.append(this.box);
  }
  words() {
    this.w = wordsFor(this.host.language);
    this.box.dataset.drop = this.w.drop;
    for (const part of [this.header, this.log, this.composer]) part.words();
    this.outbox.markAll();
  }
  changed(name) {
    if (name === 'lang' || name === 'greeting') this.words();
  }
  wire() {
    const { box, header } = this;
    box.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();
      if (header.list.hidden) this.close();
      else { header.menu(false); header.more.focus(); }
    });
    box.addEventListener('cancel', (event) => { event.preventDefault(); this.close(); });
    box.addEventListener('click', (event) => { if (!event.target.closest('.menu, .icon')) header.menu(false); });
    this.composer.takeDrops(box);
    this.modal.addEventListener('change', () => {
      if (!this.isOpen) return;
      const { atEnd } = this.log;
      this.conceal();
      this.reveal();
      if (atEnd) this.log.bottom();
    });
    const fit = () => {
      box.style.setProperty('--height', `${visualViewport.height}px`);
      box.style.setProperty('--offset', `${visualViewport.offsetTop}px`);
    };
    if (window.visualViewport) { for (const type of ['resize', 'scroll']) visualViewport.addEventListener(type, fit); fit(); }
    document.addEventListener('visibilitychange', () => this.log.read());
    this.memory.onchange(() => {
      const { conversation } = this.memory.value;
      if (conversation !== this.conversation) this.follow(conversation);
    });
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
      this.composer.grow();
      this.host.shown(true);
      this.memory.note('open', '1');
      this.log.opened();
      if (!byUser && focused && focused !== document.body) focused.focus();
    }
    if (byUser) this.rest();
  }
  close() {
    if (!this.isOpen) return;
    this.header.menu(false);
    const inside = this.host.shadowRoot.activeElement;
    this.conceal();
    this.host.shown(false);
    this.memory.note('open', '');
    if (inside) this.host.button.focus();
  }
  /* Where the focus waits. A finger's keyboard would cover half of the chat, so it comes only when the field is touched. */
  rest() {
    if (matchMedia('(pointer: coarse)').matches) this.log.list.focus({ preventScroll: true });
    else this.composer.focus();
  }
  send(text) { this.outbox.send(text); }
  prefill(text) {
    this.composer.fill(text);
    this.open(true);
  }

  // --- hearing

  changedLine(state) {
    clearTimeout(this.worry);
    const { w, banner, status } = this;
    if (state === 'online') {
      if (!banner.hidden) status.textContent = w.online;
      banner.hidden = true;
      this.header.presence();
    } else if (state === 'offline') {
      this.log.growing.dotsOff();
      // A blink of the line is nobody's concern.
      this.worry = setTimeout(() => {
        status.textContent = banner.textContent = navigator.onLine ? w.reconnecting : w.offline;
        banner.hidden = false;
        this.header.presence();
      }, navigator.onLine ? 1500 : 0);
    }
    this.outbox.again();
    this.box.dataset.line = state;
  }
  heard(frame) {
    const { log, outbox } = this;
    const kinds = {
      welcome: () => {
        if (this.epoch && frame.epoch !== this.epoch) this.clear();
        this.epoch = frame.epoch;
        this.conversation = frame.conversation;
      },
      message: () => log.row(frame),
      caught_up: () => { log.caughtUp(); outbox.flush(); },
      ack: () => { this.conversation = frame.conversation; outbox.stored(frame.client_id); },
      error: () => outbox.refused(frame),
      typing: () => (frame.on ? log.growing.dotsOn() : log.growing.dotsOff()),
      draft: () => log.growing.draft(frame),
    };
    kinds[frame.t]?.();
  }

  // --- another conversation

  /* Another tab began (or left) one. */
  follow(conversation) {
    this.clear();
    this.conversation = conversation;
    this.line.stop();
    this.begin();
  }
  startOver() {
    this.line.stop();
    this.memory.forget();
    this.outbox.inflight = '';
    this.conversation = null;
    this.banner.hidden = true;
    this.clear();
    this.rest();
  }
  clear() {
    this.epoch = '';
    this.log.clear();
    this.header.clear();
    this.header.presence();
  }
}
