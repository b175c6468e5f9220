// What the workers did: a lane for each that was there at the same time as others, a bar for each test.
const LANE = 22, AXIS = 20;
const canvas = document.getElementById("lanes");
const timed = tests.filter((t) => !t.cached && t.worker && t.start > 0);
const view = { from: 0, to: 1 };
let lanes = [];

function assignLanes() {
  const spans = new Map();
  for (const t of timed) {
    const s = spans.get(t.worker) || { worker: t.worker, start: Infinity, end: 0, tests: [], busy: 0 };
    s.start = Math.min(s.start, t.start);
    s.end = Math.max(s.end, t.start + t.seconds);
    s.busy += t.seconds;
    s.tests.push(t);
    spans.set(t.worker, s);
  }
  for (const s of [...spans.values()].sort((a, b) => a.start - b.start)) {
    let lane = lanes.find((l) => l.end <= s.start + 0.0005);
    if (!lane) lanes.push(lane = { end: 0, tests: [], busy: 0, workers: 0 });
    lane.end = s.end;
    lane.busy += s.busy;
    lane.workers++;
    lane.tests.push(...s.tests);
  }
  for (const lane of lanes) lane.tests.sort((a, b) => a.start - b.start);
}

function drawLanes() {
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = AXIS + lanes.length * LANE;
  canvas.style.height = height + "px";
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const c = canvas.getContext("2d"), scale = width / (view.to - view.from);
  const colours = OUTCOMES.map(colour);
  c.scale(ratio, ratio);
  c.font = "12px system-ui, sans-serif";
  c.fillStyle = c.strokeStyle = colour("soft");
  const step = niceStep((view.to - view.from) / Math.max(1, width / 90));
  for (let s = Math.ceil(view.from / step) * step; s < view.to; s += step) {
    const x = (s - view.from) * scale;
    c.fillText(duration(s), x + 3, 13);
    c.fillRect(x, 0, 1, 16);
  }
  lanes.forEach((lane, i) => {
    let painted = -1;
    for (const t of lane.tests) {
      const x = (t.start - view.from) * scale, w = Math.max(1, t.seconds * scale);
      if (x + w < 0 || x > width || x + w <= painted) continue;
      c.fillStyle = colours[t.outcome];
      c.fillRect(x, AXIS + i * LANE + 2, w > 3 ? w - 0.5 : w, LANE - 4);
      if (w <= 1) painted = x + 1;
    }
  });
}

function niceStep(least) {
  const power = Math.pow(10, Math.floor(Math.log10(Math.max(least, 1e-6))));
  return [1, 2, 5, 10].map((f) => f * power).find((s) => s >= least) || power * 10;
}

function testAt(e) {
  const box = canvas.getBoundingClientRect(), lane = lanes[Math.floor((e.clientY - box.top - AXIS) / LANE)];
  const s = view.from + ((e.clientX - box.left) / box.width) * (view.to - view.from), slack = 2 * (view.to - view.from) / box.width;
  return lane && lane.tests.find((t) => t.start - slack <= s && s <= t.start + t.seconds + slack);
}

function zoom(factor, at) {
  const whole = Math.max(...lanes.map((l) => l.end), 0.001), width = Math.min(whole, Math.max(0.0001, (view.to - view.from) * factor));
  const middle = at === undefined ? (view.from + view.to) / 2 : at, share = (middle - view.from) / (view.to - view.from);
  view.from = Math.max(0, Math.min(whole - width, middle - width * share));
  view.to = view.from + width;
  drawLanes();
}

function setUpTimeline() {
  const panel = document.getElementById("lane-table");
  assignLanes();
  if (!lanes.length) {
    canvas.hidden = true;
    panel.append(element("p", {}, "No test ran: every result is of an earlier run."));
    return;
  }
  view.to = Math.max(...lanes.map((l) => l.end));
  document.getElementById("zoom-in").addEventListener("click", () => zoom(0.5));
  document.getElementById("zoom-out").addEventListener("click", () => zoom(2));
  canvas.addEventListener("wheel", (e) => {
    const box = canvas.getBoundingClientRect();
    zoom(e.deltaY < 0 ? 0.8 : 1.25, view.from + ((e.clientX - box.left) / box.width) * (view.to - view.from));
    e.preventDefault();
  }, { passive: false });
  canvas.addEventListener("keydown", (e) => {
    const shift = { ArrowLeft: -0.2, ArrowRight: 0.2 }[e.key] * (view.to - view.from);
    if (e.key === "+") zoom(0.5);
    else if (e.key === "-") zoom(2);
    else if (shift) { view.from += shift; view.to += shift; zoom(1); }
    else return;
    e.preventDefault();
  });
  canvas.addEventListener("mousemove", (e) => {
    const t = testAt(e);
    document.getElementById("under").textContent = t ? t.id + ", " + duration(t.seconds) : "";
  });
  canvas.addEventListener("click", (e) => { const t = testAt(e); if (t) showTest(t); });
  panel.append(table("Lanes", ["Lane", "#Processes", "#Tests", "#Busy", "#Share"], lanes.map((l, i) =>
    [String(i + 1), String(l.workers), String(l.tests.length), duration(l.busy), Math.round(100 * l.busy / view.to) + " %"])));
}
