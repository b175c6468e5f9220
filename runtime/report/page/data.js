"use strict";
// The data of the report, flat: one object a test, in the order of the records.
const OUTCOMES = ["passed", "failed", "error", "skipped", "xfailed", "xpassed"];
const CACHED = 1, FLAKY = 2;
const source = JSON.parse(document.getElementById("data").textContent);
const modules = source.modules, run = source.run, graph = source.graph;
const tests = [];
modules.forEach((module, m) => {
  for (const row of module.tests) {
    const [name, outcome, seconds, flags, start, worker, line, detail] = row;
    tests.push({ id: module.path + name, key: (module.path + name).toLowerCase(), module: m, outcome, seconds, line,
      cached: !!(flags & CACHED), flaky: !!(flags & FLAKY), start, worker, detail });
  }
  for (const c of module.collect)
    tests.push({ id: c.id, key: c.id.toLowerCase(), module: m, outcome: c.failed ? 2 : 3, seconds: 0, line: -1,
      cached: module.state === "cached", flaky: false, start: 0, worker: 0, detail: c.detail });
});

function element(name, attributes, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (value !== false && value !== undefined) e.setAttribute(key, value === true ? "" : value);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

function duration(s) {
  if (s < 0.001) return "0 ms";
  if (s < 1) return (s * 1000).toFixed(s < 0.01 ? 1 : 0) + " ms";
  if (s < 60) return s.toFixed(2) + " s";
  return Math.floor(s / 60) + " m " + String(Math.floor(s % 60)).padStart(2, "0") + " s";
}

function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim(); }

function table(caption, heads, rows) {
  return element("table", {}, element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...heads.map((h) => element("th", { scope: "col", class: h.startsWith("#") ? "n" : false }, h.replace("#", ""))))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((cell, i) =>
      element("td", { class: heads[i].startsWith("#") ? "n" : false }, cell))))));
}
