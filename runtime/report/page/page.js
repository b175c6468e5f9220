// Head, tabs, and the tables.
function link(t) { return element("button", { type: "button", class: "go", onclick: () => showTest(t) }, t.id); }

function openTab(name) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const mine = tab.getAttribute("aria-controls") === name;
    tab.setAttribute("aria-selected", mine ? "true" : "false");
    tab.tabIndex = mine ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !mine;
  }
  if (name === "time" && lanes.length) drawLanes();
  if (name === "tests") paint();
}

function setUpTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => openTab(tab.getAttribute("aria-controls")));
    tab.addEventListener("keydown", (e) => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tabs.length - 1 }[e.key];
      if (to === undefined) return;
      const next = tabs[(to + tabs.length) % tabs.length];
      openTab(next.getAttribute("aria-controls"));
      next.focus();
      e.preventDefault();
    });
  });
  openTab("tests");
}

function setUpHead() {
  const cached = tests.filter((t) => t.cached).length, saved = tests.reduce((s, t) => s + (t.cached ? t.seconds : 0), 0);
  document.getElementById("verdict").textContent = new Date(run.created * 1000).toLocaleString() + ", " + duration(run.duration) + ", " +
    (tests.length - cached) + " ran, " + cached + " cached" + (saved >= 0.01 ? ", " + duration(saved) + " saved" : "") + (run.error ? ": " + run.error : "");
  OUTCOMES.forEach((word, o) => {
    const n = tests.filter((t) => t.outcome === o).length;
    if (n) document.getElementById("totals").append(element("li", { class: word }, n + " " + word));
  });
  document.title = (run.exit ? "✗ " : "✓ ") + "Test report";
  document.getElementById("theme").addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    if (lanes.length) drawLanes();
  });
}

function setUpSlow() {
  const rows = [...tests].sort((a, b) => b.seconds - a.seconds).slice(0, 100).map((t) => [duration(t.seconds), OUTCOMES[t.outcome] + (t.cached ? ", cached" : ""), link(t)]);
  const sums = modules.map((m, i) => ({ path: m.path, seconds: 0, n: 0, i }));
  for (const t of tests) { sums[t.module].seconds += t.seconds; sums[t.module].n++; }
  document.getElementById("slow").append(table("The slowest tests", ["#Took", "Outcome", "Test"], rows),
    table("The slowest modules", ["#Took", "#Tests", "Module"], sums.sort((a, b) => b.seconds - a.seconds).slice(0, 50).map((s) => [duration(s.seconds), String(s.n), s.path])));
}

function setUpFlaky() {
  const flaky = tests.filter((t) => t.flaky), panel = document.getElementById("flaky");
  if (flaky.length) panel.append(table("Failed first, and passed when they ran again", ["#Took", "Test"], flaky.map((t) => [duration(t.seconds), link(t)])));
  else panel.append(element("p", {}, "No test failed first and passed later in this run."));
}

function setUpWhy() {
  const reasons = new Map(), cached = modules.filter((m) => m.state === "cached");
  for (const m of modules) if (m.state !== "cached") reasons.set(m.why, [...(reasons.get(m.why) || []), m]);
  const panel = document.getElementById("why");
  panel.append(element("p", {}, cached.length + " of " + modules.length + " modules were not run: their last results hold."));
  panel.append(table("Why the rest ran", ["Reason", "#Modules", "Which"], [...reasons].sort((a, b) => b[1].length - a[1].length).map(([why, of]) =>
    [why || "(no reason is known)", String(of.length), of.slice(0, 20).map((m) => m.path + (m.state === "not_run" ? " (no result)" : "")).join(", ") + (of.length > 20 ? ", …" : "")])));
  panel.append(table("Not run", ["Module", "#Tests", "#Saved"], cached.slice(0, 2000).map((m) => [m.path, String(m.tests.length), duration(m.tests.reduce((s, t) => s + t[2], 0))])));
}

document.addEventListener("keydown", (e) => {
  if (e.key === "/" && !/^(INPUT|SELECT)$/.test(document.activeElement.tagName)) { openTab("tests"); query.focus(); e.preventDefault(); }
  if (e.key === "Escape" && document.activeElement === query) { query.value = ""; filter(); list.focus(); }
});
setUpTimeline();
setUpHead();
setUpList();
setUpSlow();
setUpFlaky();
setUpWhy();
setUpImports();
setUpTabs();
