/* Files on their way: checked, uploaded one after another, shown above the composer until they are sent.
   `around` is what they need of the panel: { settings, words, conversation, opened, changed, told, focus }. */
import { h, icon } from './dom.js';

const MOST = 10;

export class Files {
  constructor(around) {
    this.around = around;
    this.list = [];
    this.tray = h('ul', { class: 'tray', hidden: true });
  }
  get ready() { return this.list.every((one) => one.media); }

  add(files) {
    const { settings: { maxUpload, uploadTypes }, words, told } = this.around;
    told('');
    for (const file of files) {
      if (file.size > maxUpload) told(words().tooLarge(Math.floor(maxUpload / 1048576)));
      else if (file.type && !uploadTypes.includes(file.type.split(';')[0])) told(words().wrongType);
      else if (this.list.length < MOST) this.list.push({ file, done: 0 });
    }
    this.show();
    this.upload();
  }
  /* Hand over what is uploaded; the tray is empty afterwards. */
  take() {
    const media = this.list.map((one) => one.media);
    this.list = [];
    this.show();
    return media;
  }
  remove(one) {
    this.list = this.list.filter((other) => other !== one);
    this.around.told('');
    if (!one.media) one.request?.abort();
    this.show();
    this.around.focus();
  }

  /* One after another: the first file may have to open the conversation for the others. */
  upload() {
    const one = this.list.find((other) => !other.media && !other.problem);
    if (!one || this.busy) return;
    this.busy = true;
    const form = new FormData(), conversation = this.around.conversation();
    if (conversation) form.append('conversation', conversation);
    form.append('file', one.file, one.file.name || 'file');
    const request = one.request = new XMLHttpRequest();
    const next = () => { this.busy = false; this.show(); this.upload(); };
    const fail = (problem) => { one.problem = problem; this.around.told(problem); next(); };
    request.upload.onprogress = (event) => { one.done = event.loaded / event.total; one.node?.style.setProperty('--done', one.done); };
    request.onload = () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* not from our server */ }
      if (request.status !== 201) return fail(answer.error || this.around.words().uploadFailed);
      one.media = answer;
      this.around.opened(answer.conversation);
      next();
    };
    request.onerror = request.ontimeout = () => fail(this.around.words().uploadFailed);
    request.onabort = next;
    request.open('POST', this.around.settings.base + 'channels/web/uploads');
    request.send(form);
  }
  again(one) {
    delete one.problem;
    this.around.told('');
    this.show();
    this.upload();
  }

  show() {
    const w = this.around.words();
    this.tray.hidden = !this.list.length;
    this.tray.replaceChildren(...this.list.map((one) => {
      const name = one.file.name || 'file';
      one.node = h('li', { class: one.problem ? 'bad' : one.media ? 'ready' : 'going' }, icon('file'), h('span', { dir: 'auto' }, name),
        one.problem ? h('button', { type: 'button', class: 'again', onclick: () => this.again(one) }, w.retry) : null,
        h('button', { type: 'button', class: 'off', 'aria-label': w.takeOff(name), onclick: () => this.remove(one) }, icon('close')));
      one.node.style.setProperty('--done', one.done);
      return one.node;
    }));
    this.around.changed();
  }
}
