// What the pages can do beyond being read: say how old they are, sort tables, search them, copy. Nothing is asked of anybody.
"use strict";
(() => {
  const add = (parent, tag, props, before) => {
    const e = Object.assign(document.createElement(tag), props);
    parent.insertBefore(e, before || null);
    return e;
  };
  const day = 24 * 3600 * 1000;

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

  function searchable(table, first) {
    const box = table.closest(".scroll");
    const tools = add(box.parentNode, "div", { className: "tools" }, box);
    const label = add(tools, "label", { textContent: "Search all columns, such as tier=production" });
    const input = add(label, "input", { type: "search", autocomplete: "off" });
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
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((r, i) => {
        const fits = words.every((w) => texts[i].includes(w)) && (!pick.value || r.querySelector("." + pick.value));
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
  document.querySelectorAll("pre").forEach(copyable);
  addEventListener("hashchange", unfold);
  unfold();
})();
