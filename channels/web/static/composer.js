/* The composer: where the visitor writes, attaches files and sends. */
import { h, icon, nameButton } from './dom.js';
import { Files } from './files.js';

export class Composer {
  constructor(chat) {
    this.chat = chat;
    const { host } = chat;
    this.files = new Files({
      settings: host.settings,
      words: () => chat.w,
      conversation: () => chat.conversation,
      opened: (conversation) => { chat.conversation ??= conversation; },
      changed: () => this.grow(),
      told: (text) => { this.hint.textContent = text; },
      focus: () => this.focus(),
    });
    this.input = h('textarea', { rows: '1', enterkeyhint: 'send', autocomplete: 'off', dir: 'auto', 'aria-describedby': 'hint' });
    this.hint = h('p', { class: 'hint', id: 'hint', role: 'status', dir: 'auto' });
    this.pick = h('input', { type: 'file', multiple: true, hidden: true, accept: host.settings.uploadTypes.join(',') });
    this.clip = h('button', { type: 'button', class: 'icon', onclick: () => this.pick.click() }, icon('clip'));
    this.go = h('button', { type: 'submit', class: 'go' }, icon('send'));
    this.form = h('form', { class: 'composer', part: 'composer' }, this.files.tray, h('div', { class: 'row' }, this.clip, this.input, this.go), this.hint, this.pick);
    this.form.addEventListener('submit', (event) => { event.preventDefault(); this.submit(); });
    this.input.addEventListener('input', () => { this.grow(); this.sayTyping(); chat.memory.note('draft', this.input.value); });
    this.input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.submit();
    });
    this.pick.addEventListener('change', () => { this.files.add(this.pick.files); this.pick.value = ''; this.focus(); });
    this.input.addEventListener('paste', (event) => {
      if (event.clipboardData?.files.length) { event.preventDefault(); this.files.add(event.clipboardData.files); }
    });
  }
  /* Files may be dropped anywhere on the panel. */
  takeDrops(box) {
    for (const type of ['dragover', 'dragleave', 'drop']) {
      box.addEventListener(type, (event) => {
        if (!event.dataTransfer?.types.includes('Files')) return;
        event.preventDefault();
        box.classList.toggle('dropping', type === 'dragover');
        if (type === 'drop') this.files.add(event.dataTransfer.files);
      });
    }
  }
  words() {
    const { w } = this.chat;
    nameButton(this.clip, w.attach);
    nameButton(this.go, w.send);
    this.input.setAttribute('aria-label', w.write);
    this.input.placeholder = w.write;
  }
  focus() { this.input.focus({ preventScroll: true }); }
  fill(text) {
    this.input.value = text;
    this.grow();
  }
  submit() {
    if (this.go.getAttribute('aria-disabled') === 'true') return;
    const media = this.files.take(), text = this.input.value;
    this.hint.textContent = '';
    this.fill('');
    this.chat.memory.note('draft', '');
    this.chat.outbox.send(text, { media });
    this.focus();
  }
  grow() {
    const { input, chat } = this, over = input.value.length - chat.host.settings.maxText;
    input.style.height = 'auto';
    // While the panel is hidden nothing has a height.
    input.style.height = input.scrollHeight ? `${Math.min(input.scrollHeight, 24 * 5 + 20)}px` : '';
    if (over > 0) this.hint.textContent = chat.w.tooLong(over);
    else if (this.overlong) this.hint.textContent = '';
    this.overlong = over > 0;
    const ready = (input.value.trim() || this.files.list.length) && this.files.ready && over <= 0;
    this.go.setAttribute('aria-disabled', String(!ready));
  }
  sayTyping() {
    const { line, conversation } = this.chat;
    if (line.state !== 'online' || !conversation) return;
    if (!this.typing) line.typing(true);
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.stopTyping(), 4000);
  }
  stopTyping() {
    if (this.typing) this.chat.line.typing(false);
    clearTimeout(this.typing);
    this.typing = 0;
  }
}
