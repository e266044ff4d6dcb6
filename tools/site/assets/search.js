// The search of all pages, from the index that was loaded beside it. Every word must be found; where it stands decides the order.
(function () {
  'use strict';
  var field = document.getElementById('search'), list = document.getElementById('results');
  var base = document.body.dataset.base || '';
  var sections = (window.kibanIndex || []).map(function (s) {
    return { page: s.p, section: s.s || '', url: s.u, text: s.t, inTitle: (s.p + ' ' + (s.s || '')).toLowerCase(), inText: s.t.toLowerCase() };
  });
  var chosen = -1;

  function find(query) {
    var words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    var whole = words.join(' ');
    return sections.map(function (s) {
      var score = 0;
      for (var i = 0; i < words.length; i++) {
        var inTitle = s.inTitle.indexOf(words[i]), inText = s.inText.indexOf(words[i]);
        if (inTitle < 0 && inText < 0) return null;
        if (inTitle >= 0) score += 8 + (inTitle === 0 || /[^a-z0-9]/.test(s.inTitle[inTitle - 1]) ? 4 : 0);
        if (inText >= 0) score += 1;
      }
      if (s.inTitle.indexOf(whole) >= 0) score += 12;
      if (words.length > 1 && s.inText.indexOf(whole) >= 0) score += 10;
      return { s: s, score: score, words: words };
    }).filter(Boolean).sort(function (a, b) { return b.score - a.score; }).slice(0, 20);
  }

  // excerpt is some words around the first hit, with the hits marked.
  function excerpt(s, words) {
    var at = Math.max(0, s.inText.indexOf(words.join(' ')));
    if (!at) words.some(function (w) { at = s.inText.indexOf(w); return at >= 0; });
    at = Math.max(0, at - 50);
    var text = (at ? '…' : '') + s.text.slice(at, at + 170) + (s.text.length > at + 170 ? '…' : '');
    return marked(text, words);
  }

  function marked(text, words) {
    var out = document.createDocumentFragment(), low = text.toLowerCase(), from = 0;
    while (from < text.length) {
      var next = -1, length = 0;
      words.forEach(function (w) {
        var i = low.indexOf(w, from);
        if (i >= 0 && (next < 0 || i < next)) { next = i; length = w.length; }
      });
      if (next < 0) break;
      out.append(text.slice(from, next));
      var m = document.createElement('mark');
      m.textContent = text.slice(next, next + length);
      out.append(m);
      from = next + length;
    }
    out.append(text.slice(from));
    return out;
  }

  function show() {
    var hits = find(field.value);
    list.textContent = '';
    chosen = -1;
    list.hidden = !field.value.trim();
    if (list.hidden) return;
    if (!hits.length) {
      var none = document.createElement('p');
      none.textContent = 'Nothing has all of these words.';
      list.append(none);
    }
    hits.forEach(function (h) {
      var a = document.createElement('a'), title = document.createElement('b'), where = document.createElement('small');
      a.href = base + h.s.url;
      a.setAttribute('role', 'option');
      title.append(marked(h.s.section || h.s.page, h.words));
      if (h.s.section) where.append(h.s.page + ': ');
      where.append(excerpt(h.s, h.words));
      a.append(title, where);
      list.append(a);
    });
    choose(0);
  }

  function choose(i) {
    var all = list.querySelectorAll('a');
    if (!all.length) return;
    chosen = (i + all.length) % all.length;
    all.forEach(function (a, n) { a.setAttribute('aria-selected', n === chosen); });
    all[chosen].scrollIntoView({ block: 'nearest' });
  }

  field.addEventListener('input', show);
  field.addEventListener('focus', function () { if (field.value) show(); });
  field.addEventListener('keydown', function (e) {
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { choose(chosen + (e.key === 'ArrowDown' ? 1 : -1)); e.preventDefault(); }
    if (e.key === 'Enter') { var a = list.querySelectorAll('a')[chosen]; if (a) { location.href = a.href; list.hidden = true; } }
    if (e.key === 'Escape') { list.hidden = true; field.blur(); }
  });
  document.addEventListener('keydown', function (e) {
    if (e.key === '/' && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) { field.focus(); e.preventDefault(); }
  });
  document.addEventListener('click', function (e) { if (!e.target.closest('form')) list.hidden = true; });
  var asked = new URLSearchParams(location.search).get('q'); // index.html?q=drain: a search as a link
  if (asked) { field.value = asked; field.focus(); show(); }
  list.addEventListener('click', function () { list.hidden = true; });
})();
