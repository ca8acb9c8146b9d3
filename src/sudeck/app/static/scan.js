// The scan: three phases side by side, the region to be moved, the ratios live.
/* global uPlot */
import { Drafts, Saving, call, during, find, findAll, fixed, make, newest, page, put, say, showFlags, showProblem, typing } from "./common.js";
import { cornersOf, moved, rounded, turned } from "./geometry.js";
import { PhaseView } from "./phase_view.js";

const here = `/api/${page.patient}/${page.session}/scan`;
const RATIOS = ["VPr", "TPr", "BPr", "TPr/VPr", "BPr/TPr", "BPr/VPr"];
const CUTOFFS = { "TPr/VPr": 0.935, "BPr/TPr": 1.125, "BPr/VPr": 1.075 };
let views = {}, poses = {}, reference = "", result = null, before = null, regions = [], reading = "", standing = [], flow = null, problem = "", zoomed = () => {};

const drafts = new Drafts(() => { draw(); ask({ drafts: drafts.list() }); });
const saving = new Saving(drafts, () => load());

const ask = newest((question) => call(`${here}/measure`, question), shown, (error) => { problem = error.message; showProblem(problem); words(); });

let placed = "", blocked = false; // where the limbs and a named region lay when they were drawn last
function shown(answer) {
  problem = answer.problem ?? "";
  showProblem(problem);
  if (answer.reading !== reading) return load();
  const place = JSON.stringify([answer.poses, answer.result?.outline, answer.result?.region]);
  if (answer.poses) ({ poses, reference } = answer);
  if (answer.result) result = answer.result;
  if (place !== placed || blocked !== Boolean(problem)) draw();
  placed = place; blocked = Boolean(problem);
  table();
  if (result) showFlags(result.flags, point);
  curvesSoon();
  return null;
}

// Images come as soon as the files are read; the numbers, asked for at the same time, a moment later.
const load = () => during(async () => {
  say("Reading the scan …");
  try {
    const tried = drafts.list(), numbers = call(`${here}/measure`, { drafts: tried });
    const plain = tried.length ? call(`${here}/measure`, { drafts: [] }) : numbers;
    for (const one of [numbers, plain]) one.catch(() => {}); // said below
    const images = await call(here, { drafts: tried });
    saving.head = images.head; saving.signed = images.signed; standing = images.decisions; regions = images.regions;
    build(images.phases);
    facts();
    say("Measuring …");
    const answer = await numbers;
    before = (await plain).result ?? null;
    problem = answer.problem ?? "";
    showProblem(problem);
    ({ poses = {}, reference = "", reading, result = null } = answer);
    draw(); table(); curves();
    if (result) showFlags(result.flags, point);
    say("");
    document.body.dataset.ready = "yes";
  } catch (error) { say(""); showProblem(error.message); }
});

// What holds on this page: a draft, or else the decision that stands.
function holding(kind, about = "") {
  const draft = drafts.get(kind, about);
  if (draft) return draft.value;
  const found = standing.filter((one) => one.kind === kind && one.about === about && (one.session === "" || one.session === page.session));
  return found.length ? found[found.length - 1].value : null;
}
function corners() {
  const shape = holding("region");
  if (!shape) return null;
  const points = cornersOf(shape);
  const spacing = poses[reference]?.spacing_mm;
  if (shape.unit !== "mm" || !spacing) return points;
  return points.map(([x, y]) => [x / spacing[1], y / spacing[0]]);
}
function setRegion(points, options = { step: false }) {
  drafts.set([{ kind: "region", value: { name: holding("region")?.name ?? "drawn", type: "polygon", unit: "px", points: rounded(points) } }], options);
}

// The counterpart on the healthy side, as docs/regions.md writes it: a draft, what stands, or null where it is found.
const mirror = () => holding("mirror");
function setMirror(value, options = { step: false }) {
  const near = (one) => Math.round(one * 1000) / 1000;
  drafts.set([{ kind: "mirror", value: { ...value, counterpart: value.counterpart.map(near), centre: value.centre.map(near), rotation_deg: near(value.rotation_deg ?? 0) } }], options);
}
const pixels = (shape) => (shape.unit === "mm" ? poses[reference].spacing_mm : [1, 1]);
function shift(start, dx, dy, options) {
  const [rows, columns] = pixels(start);
  setMirror({ ...start, counterpart: [start.counterpart[0] + dx * columns, start.counterpart[1] + dy * rows] }, options);
}
const spin = (start, degrees, options) => setMirror({ ...start, rotation_deg: (start.rotation_deg ?? 0) + degrees }, options);

const edit = {
  corners, mirror, shift, spin,
  mark: () => drafts.mark(),
  region: (points) => setRegion(points),
};

function build(phases) {
  views = {};
  for (const name of ["vascular", "tissue", "bone"]) if (phases[name]) views[name] = new PhaseView(name, phases[name], edit);
  let zoom = { scale: 1, x: 0, y: 0 };
  const place = (next) => {
    const room = 1 - next.scale;
    zoom = { scale: next.scale, x: Math.min(0, Math.max(room, next.x)), y: Math.min(0, Math.max(room, next.y)) };
    Object.values(views).forEach((view) => view.place(zoom));
  };
  const about = (factor, [x, y]) => {
    const scale = Math.min(12, Math.max(1, zoom.scale * factor)), k = scale / zoom.scale;
    place({ scale, x: x - k * (x - zoom.x), y: y - k * (y - zoom.y) });
  };
  for (const view of Object.values(views)) {
    view.onzoom = about;
    view.onpan = (start, dx, dy) => place({ scale: start.scale, x: start.x + dx, y: start.y + dy });
  }
  zoomed = (factor) => (factor ? about(factor, [0.5, 0.5]) : place({ scale: 1, x: 0, y: 0 }));
  find(".phases").replaceChildren(...Object.values(views).map((view) => view.node));
  const named = regions.map((name) => make("option", { value: name }, name));
  find("#start").replaceChildren(...named, make("option", { value: "", disabled: "" }, "drawn"));
  const frames = phases.vascular?.frames ?? 1;
  find(".cine").hidden = frames < 2;
  find("#frame").max = frames - 1;
  flow = null;
  paint(); place(zoom);
}

function paint() {
  const level = find("#level").value / 100, window = find("#window").value / 100;
  Object.values(views).forEach((view) => view.paint(level, window));
}

function draw() {
  const own = corners(), lines = own ? [own] : result?.outline ?? [];
  for (const [name, view] of Object.entries(views)) if (poses[name]) view.show(lines, poses[name], Boolean(own), Boolean(mirror()));
  find("#start").value = own ? "" : result?.region ?? "";
  find("#draw").textContent = own ? "Undraw" : "Draw";
  find("#draw").disabled = !own && !result;
  find("#free").textContent = mirror() ? "Follow the mirror" : "Move healthy side";
  find("#free").disabled = !mirror() && !poses[reference]?.as_set;
  for (const id of ["#turn-left", "#turn-right"]) find(id).disabled = !own && !mirror();
  find("#undo").disabled = !drafts.past.length; find("#redo").disabled = !drafts.future.length;
  words();
}

function words() {
  const names = { region: "the region", mirror: "the healthy region", side: "affected side", "image-left": "side of the image", "frame-time": "frame time", "injection-time": "time of injection" };
  saving.show(drafts.list().map((one) => (one.value === null ? `${names[one.kind] ?? one.kind} taken back` : names[one.kind] ?? one.kind)).join(", "), Boolean(problem));
}

// A row keeps its cells while its ratio changes; a ratio that comes or goes makes a new one.
const rows = {};
function table() {
  const x = scale();
  RATIOS.forEach((name) => {
    const now = result?.estimates[name], was = before?.estimates[name], changed = drafts.list().length > 0 && was && now && was.value !== now.value;
    const given = now && !problem;
    const told = given ? "" : problem ? "–" : result?.refused[name] || "not measured";
    const kind = given ? `measured ${changed}` : told;
    if (rows[name]?.kind !== kind) {
      const head = make("th", { scope: "row" }, name);
      const cells = given ? rowOf(CUTOFFS[name], changed) : { nodes: [make("td", { colspan: "3" }, make("small", {}, told))] };
      const row = { kind, ...cells, node: make("tr", {}, head, ...cells.nodes) };
      if (rows[name]) rows[name].node.replaceWith(row.node); else find(".ratios tbody").append(row.node);
      rows[name] = row;
    }
    if (!given) return;
    const { node, past, value, interval, bar } = rows[name];
    put(node, { "data-ratio": name, "data-value": now.value });
    put(past, {}, changed ? `${fixed(was.value)} →` : "");
    if (value.data !== fixed(now.value)) value.data = fixed(now.value);
    put(interval, {}, `${fixed(now.low)} to ${fixed(now.high)}`);
    bar(now, changed ? was : null, x);
  });
}
function rowOf(cutoff, changed) {
  const past = make("td", { class: "n was" }), value = document.createTextNode(""), interval = make("small"), { svg, bar } = barOf(cutoff, changed);
  return { past, value, interval, bar, nodes: [past, make("td", { class: "n now" }, value, interval), make("td", {}, svg)] };
}

// Both intervals on a scale of logarithms, the same for all six and as wide as they need.
function scale() {
  const all = [before, result].flatMap((one) => Object.values(one?.estimates ?? {})).filter((one) => RATIOS.includes(one.name));
  const [low, high] = [Math.max(0.1, Math.min(0.88, ...all.map((one) => one.low))), Math.min(10, Math.max(1.2, ...all.map((one) => one.high)))];
  return (value) => 3 + (98 * Math.log(Math.min(high, Math.max(low, value)) / low)) / Math.log(high / low);
}
function barOf(cutoff, changed) {
  const line = (name) => make("line", { class: name }), dot = (name, r) => make("circle", { class: name, r });
  const ruler = make("line", { class: "ruler", y1: 0, y2: 24 }), cut = cutoff ? make("line", { class: "cut", y1: 2, y2: 22 }) : null;
  const old = changed ? [line("interval-was"), dot("point-was", 2)] : null, now = [line("interval-now"), dot("point-now", 2.3)];
  const svg = make("svg", { viewBox: "0 0 104 24", role: "img", "aria-label": cutoff ? `published cut-off ${cutoff}` : "interval" }, ...[ruler, cut, ...(old ?? []), ...now].filter(Boolean));
  const lay = ([interval, point], one, y, x) => {
    put(interval, { x1: x(one.low), x2: Math.max(x(one.high), x(one.low) + 1.5), y1: y, y2: y });
    put(point, { cx: x(one.value), cy: y });
  };
  return { svg, bar(one, was, x) {
    put(ruler, { x1: x(1), x2: x(1) });
    if (cut) put(cut, { x1: x(cutoff), x2: x(cutoff) });
    if (old) lay(old, was, 18, x);
    lay(now, one, 10, x);
  } };
}

// Uptake over time, drawn anew only where the flow or the width changes; the numbers follow the region.
let plot = null, still = 0;
function curvesSoon() { clearTimeout(still); still = setTimeout(curves, 150); } // not while a region is on the move
function curves() {
  const drawn = result?.curves ?? [];
  find(".curves").hidden = !drawn.length;
  if (!drawn.length) return;
  const data = [drawn[0].time_s, ...drawn.map((one) => one.counts_per_pixel_s)];
  if (plot && plot.series.length === data.length) { plot.setData(data); return; }
  const box = find("#curves"), width = box.clientWidth;
  plot?.destroy();
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = { stroke: ink("--quiet"), grid: { stroke: ink("--line"), width: 1 }, ticks: { show: false }, font: "11.5px sans-serif", labelFont: "11.5px sans-serif", labelSize: 18 };
  plot = new uPlot({
    width, height: 190, cursor: { drag: { setScale: false } }, scales: { x: { time: false } },
    axes: [{ ...axis, size: 28, values: (_, ticks) => ticks.map((t) => `${t} s`) }, { ...axis, size: 56, label: "counts a pixel and second" }],
    series: [{ label: "Time", value: (_, t) => (t === null ? "–" : `${t.toFixed(0)} s`) }, ...drawn.map((one) => ({ label: one.side, stroke: ink(`--${one.side}`), width: 2, points: { show: false }, value: (_, rate) => (rate === null ? "–" : rate.toPrecision(3)) }))],
  }, data, box);
}

function point(flag) {
  for (const view of Object.values(views)) {
    const told = flag.subject.includes(view.name);
    view.node.classList.toggle("told", told);
    view.ring(told ? flag.places : []);
  }
  find(".phase.told")?.scrollIntoView({ block: "nearest" });
}

function facts() {
  for (const field of findAll(".facts [data-kind]")) {
    const { kind, about = "" } = field.dataset;
    const show = () => { field.value = holding(kind, about) ?? ""; };
    show();
    field.onchange = () => {
      const stood = standing.some((one) => one.kind === kind && one.about === about);
      const value = field.value === "" ? (stood ? null : undefined) : field.type === "number" ? Number(field.value) : field.value;
      drafts.set([{ kind, about, value }]);
    };
  }
}

async function startDrawing() {
  if (corners()) {
    const stood = standing.some((one) => one.kind === "region");
    drafts.set([{ kind: "region", value: stood ? null : undefined }]);
    return;
  }
  await drawFrom(result.region);
}
async function drawFrom(name) {
  try {
    const answer = await call(`${here}/outline`, { name, drafts: drafts.list() });
    drafts.set([{ kind: "region", value: answer.region }]);
    say(`The ${name} region is yours: drag its corners.`);
  } catch (error) { showProblem(error.message); }
}
function freeHealthy() {
  if (mirror()) drafts.set([{ kind: "mirror", value: standing.some((one) => one.kind === "mirror") ? null : undefined }]);
  else { setMirror(poses[reference].as_set, { step: true }); say("The healthy region is yours: drag or turn it."); }
}
const ofHealthy = () => document.activeElement?.dataset?.drag?.startsWith("healthy") || !corners();
function turn(degrees) {
  if (mirror() && ofHealthy()) spin(mirror(), degrees, { step: true });
  else if (corners()) setRegion(turned(corners(), degrees), { step: true });
}

find("#draw").onclick = startDrawing;
find("#free").onclick = freeHealthy;
find("#start").onchange = (event) => drawFrom(event.target.value);
find("#turn-left").onclick = () => turn(-2);
find("#turn-right").onclick = () => turn(2);
find("#undo").onclick = () => drafts.undo();
find("#redo").onclick = () => drafts.redo();
find("#zoom-in").onclick = () => zoomed(1.4);
find("#zoom-out").onclick = () => zoomed(1 / 1.4);
find("#window").oninput = paint;
find("#level").oninput = paint;

async function showFrame() {
  const view = views.vascular, n = Number(find("#frame").value);
  if (!flow) flow = new Uint16Array(await call(`${here}/frames`));
  const size = view.phase.rows * view.phase.columns;
  view.frame = flow.subarray(n * size, (n + 1) * size); view.frameTop = 65535 * 0.8;
  find("#frame-said").textContent = `frame ${n + 1} of ${view.phase.frames}`;
  paint();
}
let playing = 0;
function play() {
  clearTimeout(playing);
  if (playing) { playing = 0; find("#play").textContent = "Play flow"; views.vascular.frame = null; find("#frame-said").textContent = "all frames"; paint(); return; }
  find("#play").textContent = "Stop";
  const step = async () => {
    const slider = find("#frame");
    slider.value = (Number(slider.value) + 1) % (Number(slider.max) + 1);
    await showFrame();
    if (playing) playing = setTimeout(step, 1000 / Number(find("#speed").value));
  };
  playing = setTimeout(step, 0);
}
find("#play").onclick = play;
find("#frame").oninput = showFrame;

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !typing(event)) { event.preventDefault(); event.shiftKey ? drafts.redo() : drafts.undo(); return; }
  if (typing(event) || event.ctrlKey || event.metaKey || event.altKey || event.target.type === "range") return;
  const points = corners(), corner = event.target.dataset?.corner;
  const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const step = event.shiftKey ? 0.2 : 1, [dx, dy] = (arrow ?? [0, 0]).map((one) => one * step);
  if (arrow && mirror() && ofHealthy()) {
    event.preventDefault();
    shift(mirror(), dx, dy, { step: true });
  } else if (arrow && points) {
    event.preventDefault();
    setRegion(corner === undefined ? moved(points, dx, dy) : points.map((one, i) => (i === Number(corner) ? [one[0] + dx, one[1] + dy] : one)), { step: true });
  } else if ((event.key === "Delete" || event.key === "Backspace") && corner !== undefined && points?.length > 3) {
    event.preventDefault();
    setRegion(points.filter((_, i) => i !== Number(corner)), { step: true });
  } else if (event.key === "[") turn(-2);
  else if (event.key === "]") turn(2);
  else if (event.key === "+" || event.key === "=") zoomed(1.4);
  else if (event.key === "-") zoomed(1 / 1.4);
  else if (event.key === "0") zoomed(0);
  else if (event.key === "p") play();
  else if (event.key === "s") { event.preventDefault(); find("form.save").why.focus(); }
});
const anew = () => { plot?.destroy(); plot = null; curves(); };
addEventListener("resize", anew);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", anew);
load().then(() => drafts.offer());
