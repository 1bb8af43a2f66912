/* Lines of the transcript as elements. `view` says how: { w: words, language, base, press(choice, group) }. */
import { h, icon } from './dom.js';
import { blocks, inline, link, safeUrl } from './markdown.js';

export function message(row, view) {
  const w = view.w, mine = row.from === 'user';
  if (row.kind === 'notice') {
    return h('li', { class: 'notice', 'data-at': row.at }, h('span', { dir: 'auto' }, inline(row.text)), h('time', { class: 'hide' }));
  }
  const who = mine ? w.you : row.author || w[row.from === 'agent' ? 'human' : 'bot'];
  const node = h('li', { class: `msg ${mine ? 'me' : 'bot'}`, 'data-from': row.from, 'data-at': row.at, 'data-author': row.author || '' },
    h('span', { class: row.from === 'agent' ? 'author' : 'hide' }, `${who}${row.from === 'agent' ? '' : ':'} `));
  if (row.text) node.append(h('div', { class: 'bubble', part: 'message', dir: 'auto' }, ...(mine ? [plain(row.text)] : blocks(row.text))));
  if (row.card) node.append(card(row.card, view));
  for (const media of row.media || []) node.append(file(media, view));
  node.append(h('div', { class: 'meta' }, h('time'), h('span', { class: 'state' })));
  if (row.choices.length) node.append(quick(row, view));
  stamp(node, view.language);
  return node;
}

/* What people type is shown as they typed it, only addresses can be followed. */
function plain(text) {
  const out = document.createDocumentFragment();
  for (const piece of text.split(/(https?:\/\/[^\s<>"]*[^\s<>"'.,:;!?)\]])/)) {
    const url = /^https?:/.test(piece) ? safeUrl(piece) : '';
    out.append(url ? link(url, piece) : piece);
  }
  return out;
}

function quick(row, view) {
  const group = h('div', { class: 'quick', role: 'group', 'aria-label': view.w.choices },
    ...row.choices.map((choice) => h('button', { type: 'button', dir: 'auto', onclick: () => view.press(choice, group) }, choice.label)));
  return group;
}

function card(card, view) {
  const picture = card.image && file(card.image, view);
  const fields = (card.fields || []).flatMap((field) => [h('dt', {}, field.name), h('dd', { dir: 'auto' }, field.value)]);
  const url = card.url && safeUrl(card.url);
  return h('article', { class: 'card' }, picture, h('h3', { dir: 'auto' }, card.title), card.text && h('div', { dir: 'auto' }, ...blocks(card.text)),
    fields.length ? h('dl', {}, ...fields) : null, url ? link(url, view.w.open) : null);
}

function file(media, view) {
  let url = '';
  try { url = new URL(media.url, view.base).href; } catch { /* no address, then just the name */ }
  const own = url.startsWith(view.base + 'channels/web/uploads/');
  const name = media.name || media.alt || url.split('/').pop();
  const chip = () => {
    const parts = [icon('file'), h('span', { dir: 'auto' }, name)];
    if (!/^https?:/.test(url)) return h('span', { class: 'file' }, ...parts);
    const node = link(url, ...parts);
    node.className = 'file';
    return node;
  };
  // Only pictures that our own server keeps are shown: fetching others would tell strangers about the visitor.
  if (!own || !/^image\//.test(media.type)) return chip();
  const image = h('img', { alt: media.alt || name, loading: 'lazy', width: '240', height: '160' });
  image.addEventListener('error', () => node.replaceWith(chip()));
  image.src = url;
  const node = link(url, image);
  node.className = 'picture';
  return node;
}

export function stamp(node, language) {
  const time = node.querySelector('time');
  if (!time) return;
  const at = new Date(Number(node.dataset.at) * 1000);
  time.dateTime = at.toISOString();
  time.textContent = new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit' }).format(at);
}

function day(at, language) {
  const start = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
  const days = Math.round((start(at) - start(new Date())) / 86400000);
  const text = days > -2 && days < 1 ? new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(days, 'day')
    : new Intl.DateTimeFormat(language, { weekday: 'long', day: 'numeric', month: 'long' }).format(at);
  return text.charAt(0).toLocaleUpperCase(language) + text.slice(1);
}

/* Give a message its place: a day line before it, and one group with its neighbours of the same sender. */
export function join(node, language) {
  const isMessage = (other) => other?.classList.contains('msg') || other?.classList.contains('notice');
  const fix = (one) => {
    if (!isMessage(one) || !one.dataset.at && !one.classList.contains('draft')) return;
    let before = one.previousElementSibling;
    while (before && (before.classList.contains('day') || before.classList.contains('divider'))) {
      const gone = before;
      before = before.previousElementSibling;
      if (gone.classList.contains('day')) gone.remove();
    }
    const date = (other) => new Date(Number(other?.dataset.at || 0) * 1000).toDateString();
    const newDay = one.dataset.at && (!before?.dataset.at || date(before) !== date(one)) && !(before?.classList.contains('draft'));
    if (newDay) one.before(h('li', { class: 'day' }, h('span', {}, day(new Date(Number(one.dataset.at) * 1000), language))));
    const same = !newDay && before && before.dataset.from === one.dataset.from && (before.dataset.author || '') === (one.dataset.author || '')
      && (Number(one.dataset.at || 0) - Number(before.dataset.at || 0) < 300 || one.classList.contains('draft'));
    one.classList.toggle('head', !same);
    one.classList.add('tail');
    if (same) before.classList.remove('tail');
    else if (before?.classList.contains('msg')) before.classList.add('tail');
  };
  fix(node);
  let next = node.nextElementSibling;
  while (next && (next.classList.contains('day') || next.classList.contains('divider'))) next = next.nextElementSibling;
  fix(next);
}

/* Paragraphs that are finished stay as they are; only what changed is drawn again. */
export function drawDraft(bubble, parts, text) {
  const pieces = [];
  let fence = false;
  for (const line of text.split('\n')) {
    if (/^ {0,3}(```|~~~)/.test(line)) fence = !fence;
    if (!pieces.length || (!fence && !line.trim() && !/^ *([-*+]|\d+[.)]) /.test(pieces[pieces.length - 1]))) pieces.push(line);
    else pieces[pieces.length - 1] += '\n' + line;
  }
  pieces.forEach((piece, at) => {
    const final = at < pieces.length - 1;
    if (parts[at]?.piece === piece && parts[at].final === final) return;
    const nodes = blocks(piece, !final);
    parts[at]?.nodes.forEach((node) => node.remove());
    const next = parts.slice(at + 1).find((part) => part.nodes.length)?.nodes[0] ?? null;
    for (const node of nodes) bubble.insertBefore(node, next);
    parts[at] = { piece, final, nodes };
  });
}
