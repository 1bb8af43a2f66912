/* What is fleeting at the end of the log: the dots of who types, and an answer that is still being made. */
import { h } from './dom.js';
import { drawDraft, join } from './draw.js';

export class Growing {
  constructor(log) {
    this.log = log;
    // The answer so far.
    this.node = null;
    this.dots = h('li', { class: 'msg bot dots', 'aria-hidden': 'true', hidden: true }, h('div', { class: 'bubble' }, h('i'), h('i'), h('i')));
  }
  dotsOn() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { chat } = this.log, near = this.log.near();
      this.dots.hidden = false;
      chat.status.textContent = chat.w.typing(chat.header.agent || chat.w.bot);
      if (near) this.log.bottom();
      this.timer = setTimeout(() => this.dotsOff(), 6000);
    }, this.dots.hidden ? 500 : 0);
  }
  dotsOff() {
    clearTimeout(this.timer);
    if (this.dots.hidden) return;
    this.dots.hidden = true;
    this.log.chat.status.textContent = '';
  }
  /* Drawn once a frame at most, however fast it comes. */
  draft({ text }) {
    this.text = text;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.text !== null) this.draw();
    });
  }
  draw() {
    this.dotsOff();
    const near = this.log.near();
    if (!this.node) {
      this.node = h('li', { class: 'msg bot draft', 'data-from': 'bot', 'aria-hidden': 'true' }, h('div', { class: 'bubble', dir: 'auto' }));
      this.parts = [];
      this.log.list.insertBefore(this.node, this.dots);
      join(this.node, this.log.language);
    }
    drawDraft(this.node.firstChild, this.parts, this.text);
    if (near) this.log.bottom();
  }
  /* It is said, or nobody will say it. */
  end() {
    this.dotsOff();
    this.text = null;
    this.node?.remove();
    this.node = null;
  }
}
