// The import graph around a module: those that import it to the left, what it imports to the right.
const COLUMN = 300, LINE = 32, MOST = 60;
const place = document.getElementById("around"), centre = document.getElementById("centre"), steps = document.getElementById("steps");
const imports = graph.edges, importers = graph.files.map(() => []);
imports.forEach((to, from) => to.forEach((t) => importers[t].push(from)));

function reach(start, next, depth) {
  const columns = [], seen = new Set([start]);
  let edge = [start];
  for (let d = 0; d < depth && edge.length; d++) {
    const found = [];
    for (const n of edge) for (const k of next[n]) if (!seen.has(k)) { seen.add(k); found.push(k); }
    if (found.length) columns.push(found.sort((a, b) => (graph.files[a] < graph.files[b] ? -1 : 1)));
    edge = found;
  }
  return columns;
}

function around(path) {
  const start = graph.files.indexOf(path);
  centre.value = path;
  place.replaceChildren();
  if (start < 0) { place.append(element("p", {}, path ? "No such file among the sources." : "Choose a module.")); return; }
  const depth = Number(steps.value), left = reach(start, importers, depth), right = reach(start, imports, depth);
  const columns = [...left.reverse(), [start], ...right], at = new Map();
  const height = Math.max(...columns.map((c) => Math.min(c.length, MOST + 1))) * LINE;
  columns.forEach((column, x) => {
    const visible = column.slice(0, MOST), top = (height - Math.min(column.length, MOST + 1) * LINE) / 2;
    visible.forEach((n, y) => {
      at.set(n, [x * COLUMN, top + y * LINE]);
      place.append(element("button", { type: "button", class: n === start ? "centre" : false, title: graph.files[n],
        style: "left:" + x * COLUMN + "px;top:" + (top + y * LINE) + "px", onclick: () => around(graph.files[n]) }, element("bdi", {}, graph.files[n])));
    });
    if (column.length > MOST)
      place.append(element("span", { class: "more", style: "left:" + x * COLUMN + "px;top:" + (top + MOST * LINE) + "px" }, "and " + (column.length - MOST) + " more"));
  });
  drawEdges(at, columns.length * COLUMN - 48, height);
  place.style.height = height + 20 + "px";
}

function drawEdges(at, width, height) {
  const ns = "http://www.w3.org/2000/svg", svg = document.createElementNS(ns, "svg");
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  svg.setAttribute("aria-hidden", "true");
  for (const [from, [x1, y1]] of at)
    for (const to of imports[from]) {
      if (!at.has(to)) continue;
      const [x2, y2] = at.get(to), line = document.createElementNS(ns, "path");
      const a = x1 < x2 ? x1 + 250 : x1, b = x1 < x2 ? x2 : x2 + 250, bend = x1 === x2 ? -30 : (b - a) / 2;
      line.setAttribute("d", "M" + a + " " + (y1 + 13) + " C" + (a + bend) + " " + (y1 + 13) + " " + (b - bend) + " " + (y2 + 13) + " " + b + " " + (y2 + 13));
      line.setAttribute("fill", "none");
      line.setAttribute("stroke", "currentColor");
      line.setAttribute("stroke-opacity", "0.35");
      svg.append(line);
    }
  place.prepend(svg);
}

function setUpImports() {
  document.getElementById("files").append(...graph.files.map((f) => element("option", { value: f })));
  centre.addEventListener("change", () => around(centre.value));
  steps.addEventListener("change", () => around(centre.value));
  const failed = tests.find((t) => t.outcome === 1), first = failed && graph.files.includes(modules[failed.module].path) ? modules[failed.module].path : graph.files[0];
  around(first || "");
}
