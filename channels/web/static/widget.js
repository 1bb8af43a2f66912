/* Frontdesk's launcher: the button, and what is needed to fetch the panel once somebody wants it. */
(() => {
  'use strict';
  const NAME = 'frontdesk-chat';
  if (customElements.get(NAME)) return;
  const script = document.currentScript || document.querySelector('script[src*="/widget.js"]');
  const base = new URL('.', script.src).href;
  const settings = '__SETTINGS__';
  const early = Array.isArray(window.Frontdesk) ? window.Frontdesk : [];
  const LABELS = {
    en: ['Open chat', 'Close chat', 'unread', 'The chat could not be loaded. Press to try again.'],
    de: ['Chat öffnen', 'Chat schließen', 'ungelesen', 'Der Chat konnte nicht geladen werden. Zum Wiederholen drücken.'],
    ar: ['فتح المحادثة', 'إغلاق المحادثة', 'غير مقروءة', 'تعذر تحميل المحادثة. اضغط للمحاولة مرة أخرى.'],
  };
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
.root { all: initial; color-scheme: light dark; font: 400 16px/24px var(--chat-font, system-ui, sans-serif);
  --bg: light-dark(#fff, #14171c); --surface: light-dark(#f6f7f9, #1b1f26); --raised: light-dark(#fff, #232933);
  --bubble: light-dark(#eef0f4, #262c36); --text: light-dark(#16191d, #eceff4); --muted: light-dark(#555e6b, #a3adbb);
  --accent: var(--chat-accent, light-dark(#1d5fd1, #8ab4ff)); --on: var(--chat-on-accent, light-dark(#fff, #0b1b36));
  --soft: color-mix(in srgb, var(--accent) 14%, var(--bg)); --edge: light-dark(#7c8694, #74808f); --line: light-dark(#dde1e7, #323a46);
  --ok: light-dark(#17703c, #6fd39a); --warn: light-dark(#8a5a00, #f3c05f); --warn-soft: light-dark(#fff3db, #3a2d12);
  --danger: light-dark(#b42318, #ff9b90); --danger-soft: light-dark(#fdecea, #43201d);
  --ease: cubic-bezier(.2, 0, 0, 1); }
.root[data-theme=light] { color-scheme: light; }
.root[data-theme=dark] { color-scheme: dark; }
.dock { position: fixed; inset: auto 20px 20px auto; z-index: 2147483000; margin: 0; padding: 0; border: 0;
  background: none; overflow: visible; width: auto; height: auto; }
.dock:dir(rtl), .root[data-position=start] .dock:dir(ltr) { inset: auto auto 20px 20px; }
.root[data-position=start] .dock:dir(rtl) { inset: auto 20px 20px auto; }
.launch { all: unset; box-sizing: border-box; position: relative; display: grid; place-items: center; width: 56px; height: 56px;
  border-radius: 28px; background: var(--accent); color: var(--on); cursor: pointer; border: 1px solid transparent;
  box-shadow: 0 1px 2px rgb(10 20 40 / .2), 0 8px 24px rgb(10 20 40 / .24);
  transition: transform 120ms var(--ease), box-shadow 120ms var(--ease); -webkit-tap-highlight-color: transparent; }
.launch:hover { transform: translateY(-1px); box-shadow: 0 2px 4px rgb(10 20 40 / .2), 0 12px 28px rgb(10 20 40 / .3); }
.launch:active { transform: scale(.96); }
.launch:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
.launch svg { width: 26px; height: 26px; fill: none; stroke: currentcolor; stroke-width: 1.9; stroke-linecap: round;
  stroke-linejoin: round; grid-area: 1 / 1; transition: opacity 120ms, transform 180ms var(--ease); }
.launch .x, .launch[aria-expanded=true] .chat { opacity: 0; transform: rotate(-30deg) scale(.7); }
.launch[aria-expanded=true] .x { opacity: 1; transform: none; }
.badge { position: absolute; inset-block-start: -4px; inset-inline-end: -4px; min-width: 22px; height: 22px; padding: 0 6px;
  box-sizing: border-box; border-radius: 11px; background: light-dark(#b42318, #ff9b90); color: light-dark(#fff, #2b0b08);
  font: 600 12px/22px var(--chat-font, system-ui, sans-serif); text-align: center; font-variant-numeric: tabular-nums; }
.badge[hidden] { display: none; }
@media (max-width: 480px), (max-height: 500px) { .root.open .dock { visibility: hidden; } }
@media (prefers-reduced-motion: reduce) { .launch, .launch svg { transition-duration: 1ms; } .launch:hover { transform: none; } }
@media (forced-colors: active) { .launch { border-color: ButtonText; } .launch:focus-visible { outline-color: Highlight; } }
@media print { .root { display: none; } }`);

  const svg = (name, ...paths) => {
    const make = (tag) => document.createElementNS('http://www.w3.org/2000/svg', tag);
    const icon = make('svg');
    icon.setAttribute('viewBox', '0 0 24 24');
    icon.setAttribute('aria-hidden', 'true');
    icon.setAttribute('class', name);
    for (const d of paths) {
      const path = make('path');
      path.setAttribute('d', d);
      icon.append(path);
    }
    return icon;
  };

  class FrontdeskChat extends HTMLElement {
    static observedAttributes = ['theme', 'lang', 'position', 'open', 'greeting'];
    #panel = null;
    #loading = null;
    #tries = 0;
    #unread = 0;

    connectedCallback() {
      if (this.root) return;
      const shadow = this.attachShadow({ mode: 'open' });
      shadow.adoptedStyleSheets = [sheet];
      this.root = Object.assign(document.createElement('div'), { className: 'root' });
      this.dock = Object.assign(document.createElement('div'), { className: 'dock' });
      this.button = Object.assign(document.createElement('button'), { type: 'button', className: 'launch' });
      this.button.setAttribute('part', 'launcher');
      this.button.setAttribute('aria-haspopup', 'dialog');
      this.badge = Object.assign(document.createElement('span'), { className: 'badge', hidden: true });
      this.badge.setAttribute('aria-hidden', 'true');
      this.button.append(
        svg('chat', 'M20 11.2c0 4-3.6 7.2-8 7.2-1 0-2-.2-2.9-.5L4.5 19.5l1.3-3.6A6.8 6.8 0 0 1 4 11.2C4 7.2 7.6 4 12 4s8 3.2 8 7.2z', 'M8.7 11.3h.01M12 11.3h.01M15.3 11.3h.01'),
        svg('x', 'M6 9.5l6 6 6-6'), this.badge);
      this.dock.append(this.button);
      this.root.append(this.dock);
      shadow.append(this.root);
      // The top layer is above whatever z-index the page uses.
      try { this.dock.popover = 'manual'; this.dock.showPopover(); } catch { /* an older browser: z-index it is */ }
      for (const event of ['pointerenter', 'focus']) this.button.addEventListener(event, () => this.load().catch(() => {}));
      this.button.addEventListener('click', () => this.toggle());
      this.#dress();
      this.#label();
      // Somebody who has talked to us before may have news; others cost no further request.
      const key = 'frontdesk:' + base;
      let back = false, open = this.hasAttribute('open');
      try { back = !!localStorage.getItem(key); open ||= sessionStorage.getItem(key + 'open') === '1'; } catch { /* no storage */ }
      if (open) this.#open(false);
      else if (back) (window.requestIdleCallback || setTimeout)(() => this.load().catch(() => {}));
    }

    attributeChangedCallback(name, before, after) {
      if (!this.root || before === after) return;
      if (name === 'open') return after === null ? this.close() : void (this.isOpen || this.#open(false));
      this.#dress();
      this.#label();
      this.#panel?.changed(name);
    }

    get settings() {
      return { ...settings, base, greeting: this.getAttribute('greeting') ?? settings.greeting, lang: this.language };
    }
    get language() {
      return this.getAttribute('lang') || settings.lang || document.documentElement.lang || navigator.language || 'en';
    }
    get isOpen() { return this.root?.classList.contains('open') ?? false; }
    get unread() { return this.#unread; }
    set unread(count) {
      if (count === this.#unread) return;
      this.#unread = count;
      this.#label();
      this.emit('unread', { count });
    }

    /* Fetch the panel, once; after a failure the next try asks under another name, since browsers remember failures. */
    load() {
      const again = this.#tries ? '?' + this.#tries : '';
      return this.#loading ??= import(`${base}channels/web/static/${settings.build}/panel.js${again}`)
        .then((module) => module.mount(this))
        .then((panel) => { this.#panel = panel; this.emit('ready'); return panel; })
        .catch((error) => {
          this.#loading = null;
          this.#tries += 1;
          this.button.setAttribute('aria-label', this.#words[3]);
          this.button.title = this.#words[3];
          this.emit('error', { message: String(error) });
          throw error;
        });
    }
    open() { return this.#open(true); }
    async #open(byUser) {
      try { (await this.load()).open(byUser); } catch { /* said on the button */ }
    }
    close() { this.#panel?.close(); }
    toggle() { return this.isOpen ? this.close() : this.open(); }
    async send(text) { (await this.load()).send(String(text)); }
    async prefill(text) { (await this.load()).prefill(String(text)); }
    on(name, listener) {
      const heard = (event) => listener(event.detail);
      this.addEventListener('frontdesk:' + name, heard);
      return () => this.removeEventListener('frontdesk:' + name, heard);
    }
    emit(name, detail = {}) {
      this.dispatchEvent(new CustomEvent('frontdesk:' + name, { detail, bubbles: true, composed: true }));
    }
    /* The panel says that it opened or closed. */
    shown(open) {
      this.root.classList.toggle('open', open);
      this.toggleAttribute('open', open);
      this.#label();
      this.emit(open ? 'open' : 'close');
    }

    get #words() { return LABELS[this.language.slice(0, 2)] || LABELS.en; }
    #dress() {
      const lang = this.language;
      this.root.lang = lang;
      this.root.dir = /^(ar|he|fa|ur)\b/.test(this.getAttribute('lang') || '') ? 'rtl' : getComputedStyle(this).direction;
      this.root.dataset.theme = this.getAttribute('theme') || settings.theme;
      this.root.dataset.position = this.getAttribute('position') || 'end';
    }
    #label() {
      if (!this.root) return;
      const [open, close, unread] = this.#words;
      const news = this.#unread ? `, ${this.#unread} ${unread}` : '';
      this.button.setAttribute('aria-label', this.isOpen ? close : open + news);
      this.button.setAttribute('aria-expanded', String(this.isOpen));
      this.button.removeAttribute('title');
      this.badge.hidden = !this.#unread || this.isOpen;
      this.badge.textContent = this.#unread > 9 ? '9+' : String(this.#unread);
    }
  }

  customElements.define(NAME, FrontdeskChat);
  const start = () => {
    let chat = document.querySelector(NAME);
    if (!chat) {
      chat = document.createElement(NAME);
      for (const name of FrontdeskChat.observedAttributes) {
        if (name in script.dataset) chat.setAttribute(name, script.dataset[name]);
      }
      document.body.append(chat);
    }
    const api = { element: chat };
    for (const name of ['open', 'close', 'toggle', 'send', 'prefill', 'on']) api[name] = (...rest) => chat[name](...rest);
    api.setTheme = (theme) => chat.setAttribute('theme', theme);
    api.setLocale = (lang) => chat.setAttribute('lang', lang);
    api.push = ([name, ...rest]) => api[name]?.(...rest);
    window.Frontdesk = api;
    early.forEach(api.push);
    document.addEventListener('click', (event) => {
      if (event.target instanceof Element && event.target.closest('[data-chat-open]')) chat.open();
    });
  };
  if (document.body) start();
  else addEventListener('DOMContentLoaded', start);
})();
