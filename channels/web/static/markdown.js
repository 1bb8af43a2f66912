/* CommonMark (the part that belongs in a chat) to DOM nodes. Nothing is ever parsed as HTML, and nothing is fetched. */
const SCHEME = /^(?:https?:\/\/|mailto:|tel:)/i;
const ENTITY = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', copy: '©', hellip: '…', mdash: '—', ndash: '–' };
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])( +)(?=\S)/;
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`\s]*)/;
const RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const HEAD = /^ {0,3}(#{1,6}) +(.*?)(?: +#+)? *$/;
const DELIMITER = /^ *\|?(?: *:?-+:? *\|)+(?: *:?-+:? *)?\|? *$|^ *:?-+:? *(?:\| *:?-+:? *)+$/;
const SPECIAL = /[\\`*_~[!<&\n]|https?:\/\//g;
const DEEP = 8;

const make = (tag, ...children) => {
  const node = document.createElement(tag);
  node.append(...children);
  return node;
};

/* The address if it is one that may be followed, else an empty string. */
export function safeUrl(text) {
  const url = text.replace(/[\u0000-\u0020\u007f-\u009f]/g, '');
  if (!SCHEME.test(url)) return '';
  try { return new URL(url).href; } catch { return ''; }
}

export function link(url, ...children) {
  const node = make('a', ...children);
  node.href = url;
  node.target = '_blank';
  node.rel = 'noopener noreferrer nofollow';
  node.title = url;
  return node;
}

/* Blocks of a text. With `open` the text is still being written: what is begun counts as closed. */
export function blocks(text, open = false, depth = 0) {
  const lines = text.replace(/\r\n?/g, '\n').replace(/\t/g, '    ').split('\n');
  const out = [];
  let at = 0;
  const starts = (line) => FENCE.test(line) || HEAD.test(line) || RULE.test(line) || ITEM.test(line) || /^ {0,3}>/.test(line);
  while (at < lines.length) {
    const line = lines[at];
    let match;
    if (!line.trim()) { at += 1; continue; }
    if ((match = FENCE.exec(line))) {
      const body = [];
      for (at += 1; at < lines.length && !(lines[at].trim().startsWith(match[1]) && !lines[at].trim().replace(/[`~]/g, '')); at += 1) body.push(lines[at]);
      at += 1;
      const pre = make('pre', make('code', body.join('\n')));
      pre.tabIndex = 0;
      out.push(pre);
    } else if ((match = HEAD.exec(line))) {
      out.push(make('h' + Math.min(6, match[1].length + 2), inline(match[2], open)));
      at += 1;
    } else if (RULE.test(line)) {
      out.push(make('hr'));
      at += 1;
    } else if (/^ {0,3}>/.test(line) && depth < DEEP) {
      const body = [];
      for (; at < lines.length && lines[at].trim() && (/^ {0,3}>/.test(lines[at]) || !starts(lines[at])); at += 1) body.push(lines[at].replace(/^ {0,3}> ?/, ''));
      out.push(make('blockquote', ...blocks(body.join('\n'), open, depth + 1)));
    } else if (ITEM.test(line) && depth < DEEP) {
      [match, at] = list(lines, at, open, depth);
      out.push(match);
    } else if (line.includes('|') && at + 1 < lines.length && DELIMITER.test(lines[at + 1])) {
      [match, at] = table(lines, at, open);
      out.push(match);
    } else {
      const body = [line.trim()];
      const hard = (text) => (/ {2,}$/.test(text) ? text.trim() + '\n' : text.trim());
      for (at += 1; at < lines.length && lines[at].trim() && !starts(lines[at]); at += 1) body.push(hard(lines[at]).trimEnd());
      out.push(make('p', inline(body.join('\n'), open)));
    }
  }
  return out;
}

function list(lines, from, open, depth) {
  const first = ITEM.exec(lines[from]);
  const ordered = /\d/.test(first[2]);
  const node = make(ordered ? 'ol' : 'ul');
  if (ordered && parseInt(first[2], 10) !== 1) node.start = parseInt(first[2], 10);
  const same = (match) => match && (ordered ? /\d/.test(match[2]) && match[2].slice(-1) === first[2].slice(-1) : match[2] === first[2]);
  const items = [];
  let at = from, loose = false, gap = false;
  while (at < lines.length) {
    const match = ITEM.exec(lines[at]);
    if (!same(match) || RULE.test(lines[at])) break;
    loose ||= gap;
    gap = false;
    const width = match[1].length + match[2].length + Math.min(match[3].length, 4);
    const body = [lines[at].slice(match[0].length)];
    for (at += 1; at < lines.length; at += 1) {
      const line = lines[at], indent = line.search(/\S/);
      if (indent === -1) {
        const next = lines.slice(at + 1).find((other) => other.trim());
        if (next === undefined || (next.search(/\S/) < width && !same(ITEM.exec(next)))) break;
        body.push('');
        gap = true;
      } else if (indent >= Math.min(width, 2) && (indent >= width || !ITEM.test(line) || indent >= 2 && match[1].length < indent)) {
        body.push(line.slice(Math.min(indent, width)));
      } else if (body[body.length - 1] !== '' && !ITEM.test(line) && !FENCE.test(line) && !HEAD.test(line)) {
        body.push(line.trim());
      } else break;
    }
    const text = body.join('\n').trimEnd();
    const parts = blocks(text, open, depth + 1);
    loose ||= /\n\n/.test(text) && parts.filter((part) => part.tagName === 'P').length > 1;
    gap &&= body[body.length - 1] === '';
    items.push(parts);
  }
  for (const parts of items) {
    const item = make('li');
    for (const part of parts) item.append(...(part.tagName === 'P' && !loose ? part.childNodes : [part]));
    node.append(item);
  }
  return [node, at];
}

function table(lines, from, open) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, '').split(/(?<!\\)\|/).map((cell) => cell.trim());
  const sides = cells(lines[from + 1]).map((rule) => (rule.endsWith(':') ? (rule.startsWith(':') ? 'mid' : 'end') : ''));
  const row = (tag, line) => make('tr', ...cells(line).map((cell, column) => {
    const node = make(tag, inline(cell, open));
    // Prices and the like are never cut in two.
    const looks = [sides[column], cell.length < 10 && 'short'].filter(Boolean).join(' ');
    if (looks) node.className = looks;
    return node;
  }));
  const body = make('tbody');
  let at = from + 2;
  for (; at < lines.length && lines[at].includes('|'); at += 1) body.append(row('td', lines[at]));
  const wrap = make('div', make('table', make('thead', row('th', lines[from])), body));
  wrap.className = 'wide';
  wrap.tabIndex = 0;
  return [wrap, at];
}

/* Words with emphasis, code and links, as a fragment. Searches that failed once are not repeated, so time is linear. */
export function inline(text, open = false, depth = 0, linked = false) {
  const out = document.createDocumentFragment();
  const dead = new Set();
  let plain = '', at = 0;
  const flush = () => { if (plain) out.append(plain); plain = ''; };
  const put = (node, to) => { flush(); out.append(node); at = to; };
  while (at < text.length) {
    SPECIAL.lastIndex = at;
    const found = SPECIAL.exec(text);
    if (!found || depth > DEEP) { plain += text.slice(at); break; }
    plain += text.slice(at, found.index);
    at = found.index;
    const char = text[at];
    if (char === '\n') put(make('br'), at + 1);
    else if (char === '\\' && /[!-/:-@[-`{-~]/.test(text[at + 1] || '')) { plain += text[at + 1]; at += 2; }
    else if (char === '\\' && text[at + 1] === '\n') put(make('br'), at + 2);
    else if (char === '&') {
      const match = /^&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([a-z]{2,6}));/.exec(text.slice(at, at + 12));
      const code = match && (match[1] ? parseInt(match[1], 10) : match[2] ? parseInt(match[2], 16) : 0);
      const value = match && (match[3] ? ENTITY[match[3]] : code > 0 && code < 0x110000 && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : '\ufffd');
      plain += value || '&';
      at += value ? match[0].length : 1;
    } else if (char === '`') code();
    else if (char === '[' || char === '!') anchor(char === '!');
    else if (char === '<') auto();
    else if (char === 'h') bare();
    else emphasis();
  }
  flush();
  return out;

  function code() {
    const ticks = /^`+/.exec(text.slice(at, at + 40))[0];
    let end = dead.has(ticks) ? -1 : text.indexOf(ticks, at + ticks.length);
    while (end !== -1 && text[end + ticks.length] === '`') {
      while (text[end] === '`') end += 1;
      end = text.indexOf(ticks, end);
    }
    if (end === -1) {
      dead.add(ticks);
      if (!open) { plain += ticks; at += ticks.length; return; }
      end = text.length;
    }
    const body = text.slice(at + ticks.length, end).replace(/\n/g, ' ');
    put(make('code', /^ .*[^ ].* $/.test(body) ? body.slice(1, -1) : body), end + ticks.length);
  }

  function anchor(picture) {
    const from = at + (picture ? 1 : 0);
    const middle = text[from] !== '[' || dead.has('[') ? -1 : closing(from);
    const match = middle === -1 ? null : /^\(\s*(?:<([^<>\n]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*)*))(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/.exec(text.slice(middle + 1, middle + 3000));
    if (!match) {
      if (text[from] === '[' && middle === -1) dead.add('[');
      // A link that is still being written is shown as its words.
      const half = middle === -1 || middle + 1 === text.length || (text[middle + 1] === '(' && !text.slice(middle).includes(')'));
      if (open && half && text[from] === '[') {
        put(inline(text.slice(from + 1, middle === -1 ? text.length : middle), true, depth + 1, linked), text.length);
      } else { plain += picture ? '!' : '['; at += 1; }
      return;
    }
    const label = text.slice(from + 1, middle), url = safeUrl(match[1] ?? match[2]);
    const words = picture ? label || url : inline(label, false, depth + 1, true);
    put(url && !linked ? link(url, words) : words, middle + 1 + match[0].length);
  }

  function closing(from) {
    let level = 0;
    for (let i = from; i < text.length; i += 1) {
      if (text[i] === '\\') i += 1;
      else if (text[i] === '[') level += 1;
      else if (text[i] === ']' && (level -= 1) === 0) return i;
    }
    return -1;
  }

  function auto() {
    const match = /^<((?:https?:\/\/|mailto:)[^\s<>]{1,2000}|[^\s<>@]{1,64}@[^\s<>@]{1,255})>/i.exec(text.slice(at, at + 2100));
    const url = match && safeUrl(/^(https?|mailto):/i.test(match[1]) ? match[1] : 'mailto:' + match[1]);
    if (url && !linked) put(link(url, match[1]), at + match[0].length);
    else { plain += '<'; at += 1; }
  }

  function bare() {
    const whole = /^https?:\/\/[^\s<>*`]*/.exec(text.slice(at, at + 2000))[0];
    let shown = whole.replace(/[.,:;!?'"_~\])]+$/, '');
    if (whole[shown.length] === ')' && shown.includes('(')) shown += ')';
    const url = /[\p{L}\p{N}_]/u.test(text[at - 1] || '') ? '' : safeUrl(shown);
    if (url && !linked && shown.length > 8) put(link(url, shown), at + shown.length);
    else { plain += shown || whole; at += (shown || whole).length; }
  }

  function emphasis() {
    const char = text[at];
    let run = 1;
    while (text[at + run] === char) run += 1;
    const mark = char.repeat(Math.min(run, char === '~' ? 2 : run > 2 ? 3 : run));
    const word = (c) => /[\p{L}\p{N}]/u.test(c || '');
    const opens = /\S/.test(text[at + run] || '') && !(char === '_' && word(text[at - 1])) && !(char === '~' && run !== 2);
    if (opens && run <= 3) {
      const end = dead.has(mark) ? -1 : ending(mark, char, at + run, word);
      if (end !== -1 || open) {
        const to = end === -1 ? text.length : end;
        const inner = inline(text.slice(at + run, to), open, depth + 1, linked);
        const node = char === '~' ? make('del', inner) : run === 1 ? make('em', inner) : make('strong', run === 3 ? make('em', inner) : inner);
        put(node, to + mark.length);
        return;
      }
      dead.add(mark);
    }
    plain += text.slice(at, at + run);
    at += run;
  }

  function ending(mark, char, from, word) {
    for (let i = from; i < text.length; i += 1) {
      if (text[i] === '\\') { i += 1; continue; }
      if (text[i] === '`') { const next = text.indexOf('`', i + 1); if (next !== -1) i = next; continue; }
      if (text[i] !== char) continue;
      let run = 1;
      while (text[i + run] === char) run += 1;
      const fits = run === mark.length || (run > mark.length && run === 3);
      if (fits && /\S/.test(text[i - 1]) && !(char === '_' && word(text[i + run]))) return i + run - mark.length;
      i += run - 1;
    }
    return -1;
  }
}
