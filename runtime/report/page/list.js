// The list of tests: only the rows that can be seen exist, however many there are.
const ROW = 26, MARGIN = 8;
const list = document.getElementById("list"), spacer = document.getElementById("spacer"), detail = document.getElementById("detail");
const query = document.getElementById("query"), ranOnly = document.getElementById("ran-only");
const wanted = new Set();
let shown = tests, selected = -1, drawn = new Map(), queued = false;

function rowOf(i) {
  const t = shown[i], word = OUTCOMES[t.outcome];
  return element("div", { class: "row", id: "row" + i, role: "option", "aria-setsize": shown.length, "aria-posinset": i + 1,
    "aria-selected": i === selected ? "true" : "false", style: "top:" + i * ROW + "px", title: t.id },
    element("span", { class: "o " + word }, word), element("span", { class: "id" }, element("bdi", {}, t.id)),
    t.flaky ? element("span", { class: "tag" }, "flaky") : null, t.cached ? element("span", { class: "tag" }, "cached") : null,
    element("span", { class: "time" }, duration(t.seconds)));
}

function paint() {
  queued = false;
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - MARGIN);
  const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + MARGIN);
  for (const [i, row] of drawn)
    if (i < first || i >= last) { row.remove(); drawn.delete(i); }
  for (let i = first; i < last; i++)
    if (!drawn.has(i)) { const row = rowOf(i); drawn.set(i, row); list.append(row); }
}

function repaint() { if (!queued) { queued = true; requestAnimationFrame(paint); } }

function filter() {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  shown = tests.filter((t) => (!wanted.size || wanted.has(t.outcome)) && !(ranOnly.checked && t.cached) && words.every((w) => t.key.includes(w)));
  for (const row of drawn.values()) row.remove();
  drawn = new Map();
  selected = -1;
  list.removeAttribute("aria-activedescendant");
  spacer.style.height = shown.length * ROW + "px";
  list.scrollTop = 0;
  document.getElementById("count").textContent = shown.length === tests.length ? tests.length + " tests" : shown.length + " of " + tests.length;
  paint();
}

function select(i) {
  if (!shown.length) return;
  const before = drawn.get(selected);
  if (before) before.setAttribute("aria-selected", "false");
  selected = Math.max(0, Math.min(shown.length - 1, i));
  if (selected * ROW < list.scrollTop) list.scrollTop = selected * ROW;
  if ((selected + 1) * ROW > list.scrollTop + list.clientHeight) list.scrollTop = (selected + 1) * ROW - list.clientHeight;
  paint();
  drawn.get(selected).setAttribute("aria-selected", "true");
  list.setAttribute("aria-activedescendant", "row" + selected);
  describe(shown[selected]);
}

function traceback(text) {
  const pre = element("pre", { tabindex: "0" });
  for (const line of text.replace(/^\n+|\n+$/g, "").split("\n"))
    pre.append(/^E( |$)/.test(line) ? element("span", { class: "e" }, line + "\n") : line + "\n");
  return pre;
}

function describe(t) {
  const module = modules[t.module], facts = element("dl", {});
  const fact = (name, value) => facts.append(element("dt", {}, name), element("dd", {}, value));
  fact("outcome", element("span", { class: "o " + OUTCOMES[t.outcome] }, OUTCOMES[t.outcome] + (t.flaky ? ", flaky" : "") + (t.cached ? ", cached" : "")));
  fact("took", duration(t.seconds));
  if (t.line >= 0) fact("place", module.path + ":" + (t.line + 1));
  if (t.worker) fact("worker", String(t.worker));
  if (module.why && !t.cached) fact("ran because", module.why);
  if (t.detail && t.detail.reason) fact("reason", t.detail.reason);
  detail.replaceChildren(element("h2", {}, t.id), facts);
  for (const p of (t.detail && t.detail.phases) || []) {
    detail.append(element("h3", {}, p.when + ": " + p.outcome + ", " + duration(p.seconds)));
    if (p.text) detail.append(traceback(p.text));
    for (const [title, text] of p.sections || []) detail.append(element("h3", {}, title), element("pre", { tabindex: "0" }, text));
  }
  if (graph.files.includes(module.path))
    detail.append(element("p", {}, element("button", { type: "button", onclick: () => { openTab("imports"); around(module.path); } }, "Imports of this module")));
}

function showTest(t) {
  query.value = "";
  ranOnly.checked = false;
  wanted.clear();
  press();
  filter();
  openTab("tests");
  select(shown.indexOf(t));
  list.focus();
}

function press() {
  for (const b of document.querySelectorAll("#outcomes button"))
    b.setAttribute("aria-pressed", wanted.has(Number(b.dataset.outcome)) ? "true" : "false");
}

function setUpList() {
  OUTCOMES.forEach((word, o) => {
    const n = tests.filter((t) => t.outcome === o).length;
    if (n) document.getElementById("outcomes").append(element("button", { type: "button", class: word, "data-outcome": o, onclick: () => {
      if (!wanted.delete(o)) wanted.add(o);
      press();
      filter();
    } }, n + " " + word));
  });
  press();
  list.addEventListener("scroll", repaint);
  new ResizeObserver(repaint).observe(list);
  list.addEventListener("click", (e) => { const row = e.target.closest(".row"); if (row) select(Number(row.id.slice(3))); });
  list.addEventListener("keydown", (e) => {
    const page = Math.max(1, Math.floor(list.clientHeight / ROW) - 1);
    const to = { ArrowDown: selected + 1, ArrowUp: selected - 1, PageDown: selected + page, PageUp: selected - page, Home: 0, End: shown.length - 1 }[e.key];
    if (to !== undefined) select(to);
    else if (e.key === "Enter") detail.focus();
    else return;
    e.preventDefault();
  });
  query.addEventListener("input", filter);
  ranOnly.addEventListener("change", filter);
  for (const o of [1, 2]) if (tests.some((t) => t.outcome === o)) wanted.add(o); // failures come first
  press();
  filter();
}
