/* What this browser remembers: the conversation, how far it was read, and what is not sent yet. Nothing before the first message. */
export class Memory {
  constructor(base) {
    this.key = 'frontdesk:' + base;
    this.value = { conversation: null, read: 0, outbox: [] };
    this.load();
  }
  load() {
    try {
      const found = JSON.parse(localStorage.getItem(this.key));
      if (found && typeof found === 'object') {
        this.value = {
          conversation: /^[0-9a-f]{32}$/.test(found.conversation) ? found.conversation : null,
          read: Number.isSafeInteger(found.read) ? found.read : 0,
          outbox: Array.isArray(found.outbox) ? found.outbox.filter((item) => item && typeof item.client_id === 'string') : [],
        };
      }
    } catch { /* no storage, or not ours: what we have stays */ }
  }
  /* Tabs share this: read before writing. */
  change(edit) {
    this.load();
    edit(this.value);
    try { localStorage.setItem(this.key, JSON.stringify(this.value)); } catch { /* full or forbidden: this page still knows */ }
  }
  forget() {
    this.value = { conversation: null, read: 0, outbox: [] };
    try {
      localStorage.removeItem(this.key);
      for (const name of ['open', 'draft']) sessionStorage.removeItem(this.key + name);
    } catch { /* there was nothing */ }
  }
  /* Per tab, and only for those who talk to us. */
  note(name, value) {
    if (!this.value.conversation && !this.value.outbox.length) return;
    try { sessionStorage.setItem(this.key + name, value); } catch { /* then not */ }
  }
  noted(name) {
    try { return sessionStorage.getItem(this.key + name) || ''; } catch { return ''; }
  }
  onchange(listener) {
    addEventListener('storage', (event) => {
      if (event.key !== this.key) return;
      this.value = { conversation: null, read: 0, outbox: [] };
      this.load();
      listener();
    });
  }
}
