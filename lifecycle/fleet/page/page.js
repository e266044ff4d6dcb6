// What the pages can do beyond being read: say how old they are, sort tables, search them, copy. Nothing is asked of anybody.
"use strict";
(() => {
  const add = (parent, tag, props, before) => {
    const e = Object.assign(document.createElement(tag), props);
    parent.insertBefore(e, before || null);
    return e;
  };
  const day = 24 * 3600 * 1000;

  // What a search looks for, each for itself: what stands between commas, and each label=value. Other words are looked for as they stand
  // together, for "wave 2" is no site of wave 3 with a 2 somewhere. Numbers are whole where more than one word is looked for.
  const wanted = (query) => query.toLowerCase().split(",").flatMap((part) => {
    const phrases = [[]];
    for (const word of part.split(/\s+/).filter(Boolean)) {
      if (/.=/.test(word)) phrases.push([word], []);
      else phrases.at(-1).push(word);
    }
    return phrases.filter((p) => p.length).map((words) => {
      const pattern = words.map((w) => w.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(" +");
      const labels = words.length === 1 && /.=/.test(words[0]);
      const whole = (labels || words.length > 1) && /\d$/.test(pattern) ? "(?!\\d)" : "";
      return new RegExp((labels ? "(?:^|\\s)" : "") + pattern.replace(/^wave=/, "wave[ =]") + whole, "m");
    });
  });
  // found: all of it stands in the text of a row, whose cells are lines.
  const found = (terms, text) => terms.every((t) => t.test(text));

  function age() {
    const time = document.querySelector(".moment time");
    if (!time) return; // nothing was collected yet
    const days = Math.floor((Date.now() - Date.parse(time.dateTime)) / day);
    if (!(days >= 1)) return;
    document.body.classList.add("is-aged");
    add(document.querySelector("main"), "p", {
      className: "aged",
      textContent: "These pages are of " + time.textContent + ", " + (days === 1 ? "a day" : days + " days") +
        " ago by this computer's clock. How sites are now is not known from them.",
    }, document.querySelector("main").firstChild);
  }

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    const key = (row, i) => row.cells[i].dataset.k || row.cells[i].textContent;
    const order = new Intl.Collator(undefined, { numeric: true });
    heads.forEach((th, i) => {
      const button = add(th, "button", { type: "button", textContent: th.textContent });
      th.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = th.getAttribute("aria-sort") === "ascending";
        heads.forEach((h) => h.removeAttribute("aria-sort"));
        th.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].map((r) => [key(r, i), r]);
        rows.sort((a, b) => (down ? -1 : 1) * order.compare(a[0], b[0]));
        body.append(...rows.map((r) => r[1]));
      });
    });
  }

  // What is focused is not to stand below the head or the first column, which stay where they are.
  function clear(box) {
    const fit = () => {
      const [head, first] = [box.querySelector("thead tr"), box.querySelector("tbody th")];
      if (!head) return; // no table
      box.style.scrollPaddingTop = head.offsetHeight + 6 + "px";
      if (first) box.style.scrollPaddingLeft = first.offsetWidth + 6 + "px";
    };
    fit();
    addEventListener("resize", fit);
  }

  function searchable(table, first) {
    const box = table.closest(".scroll");
    const tools = add(box.parentNode, "div", { className: "tools" }, box);
    const label = add(tools, "label", { textContent: "Search all columns: words that stand together; with commas, each for itself" });
    const input = add(label, "input", { type: "search", autocomplete: "off", placeholder: "wave 2, tier=production, held" });
    const pick = add(add(tools, "label", { textContent: "Show" }), "select");
    for (const [value, text] of [["", "all"], ["bad", "with something bad"], ["odd", "with something to look at"],
      ["old", "with something old"], ["unknown", "with something not known"]]) {
      add(pick, "option", { value, textContent: text });
    }
    const says = add(tools, "output", {});
    says.setAttribute("role", "status");
    const rows = [...table.tBodies[0].rows];
    let texts;
    const filter = () => {
      texts = texts || rows.map((r) => [...r.cells].map((c) => c.textContent).join("\n").toLowerCase());
      const terms = wanted(input.value);
      let shown = 0;
      rows.forEach((r, i) => {
        const fits = found(terms, texts[i]) && (!pick.value || r.querySelector("." + pick.value));
        r.hidden = !fits;
        shown += fits ? 1 : 0;
      });
      says.textContent = shown + " of " + rows.length;
      if (first) {
        const q = new URLSearchParams();
        if (input.value) q.set("q", input.value);
        if (pick.value) q.set("show", pick.value);
        history.replaceState(null, "", q.size ? "#" + q : location.pathname);
      }
    };
    let wait;
    input.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(filter, 120); });
    pick.addEventListener("change", filter);
    const q = new URLSearchParams(location.hash.slice(1));
    if (first && (q.get("q") || q.get("show"))) {
      input.value = q.get("q") || "";
      pick.value = q.get("show") || "";
      filter();
    }
  }

  function copyable(pre) {
    if (!navigator.clipboard) return;
    const button = add(pre.parentNode, "button", { type: "button", className: "copy", textContent: "Copy" }, pre.nextSibling);
    button.addEventListener("click", () => navigator.clipboard.writeText(pre.textContent).then(
      () => { button.textContent = "Copied"; }, () => { button.textContent = "It could not be copied"; }));
  }

  function unfold() {
    const there = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (there) there.querySelectorAll(":scope > details").forEach((d) => { d.open = true; });
  }

  age();
  document.querySelectorAll("table").forEach(sortable);
  document.querySelectorAll("table[data-search]").forEach((t, i) => searchable(t, i === 0));
  document.querySelectorAll(".scroll").forEach(clear);
  document.querySelectorAll("pre").forEach(copyable);
  addEventListener("hashchange", unfold);
  unfold();
})();
