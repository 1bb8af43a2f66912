/* The header: who answers, and the menu. */
import { h, icon, nameButton } from './dom.js';

export class Header {
  constructor(chat) {
    this.chat = chat;
    const button = (name, press) => h('button', { type: 'button', class: 'icon', onclick: press }, icon(name));
    this.title = h('h2', { id: 'title' });
    this.sub = h('p', { class: 'sub' });
    this.avatar = h('div', { class: 'avatar', 'aria-hidden': 'true' }, icon('bot'));
    this.more = button('menu', () => this.menu(this.list.hidden));
    this.more.setAttribute('aria-controls', 'menu');
    this.shut = button('close', () => chat.close());
    this.save = h('button', { type: 'button', onclick: () => this.transcript() });
    this.over = h('button', { type: 'button', onclick: () => this.startOver() });
    this.list = h('div', { class: 'menu', id: 'menu', hidden: true }, this.save, this.over);
    this.node = h('header', { class: 'top', part: 'header' }, this.avatar, h('div', { class: 'who' }, this.title, this.sub), this.more, this.shut, this.list);
    this.clear();
  }
  words() {
    const { w } = this.chat;
    nameButton(this.more, w.menu);
    nameButton(this.shut, w.close);
    this.save.textContent = w.transcript;
    this.menu(false);
    this.presence();
  }

  // --- who answers

  clear() {
    this.agent = '';
    this.passed = false;
  }
  /* A notice tells that the conversation changes hands; who has it now is seen when they speak. */
  heard(row) {
    this.passed = row.kind === 'notice';
    if (!this.passed) this.agent = row.from === 'agent' ? row.author || this.chat.w.human : '';
    this.presence();
  }
  presence() {
    const { w, host, box, banner } = this.chat;
    this.title.textContent = this.agent || host.settings.title;
    // Nobody answers at once while there is no line.
    this.sub.textContent = banner.hidden ? (this.agent ? w.humanSub : this.passed ? w.teamSub : w.botSub) : '\u00a0';
    this.avatar.replaceChildren(this.agent ? this.agent.trim().charAt(0).toUpperCase() : icon('bot'));
    box.classList.toggle('human', !!this.agent);
  }

  // --- the menu

  menu(show) {
    this.list.hidden = !show;
    this.more.setAttribute('aria-expanded', String(show));
    this.over.textContent = this.chat.w.over;
    delete this.over.dataset.sure;
    if (show) this.save.focus();
  }
  transcript() {
    const { w, host, log } = this.chat;
    const lines = [...log.rows.values()].map((row) => {
      const who = row.kind === 'notice' ? '' : (row.from === 'user' ? w.you : row.author || w[row.from === 'agent' ? 'human' : 'bot']) + ': ';
      return `[${new Date(row.at * 1000).toLocaleString(host.language)}] ${who}${row.text}`;
    });
    const address = URL.createObjectURL(new Blob([lines.join('\n') + '\n'], { type: 'text/plain' }));
    h('a', { href: address, download: 'chat.txt' }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
    this.menu(false);
    this.more.focus();
  }
  /* Asks once more by its own label. */
  startOver() {
    if (this.over.dataset.sure) {
      this.menu(false);
      return this.chat.startOver();
    }
    this.over.dataset.sure = '1';
    this.over.textContent = this.chat.w.sure;
  }
}
