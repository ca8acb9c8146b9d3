// The trials: overlaid and one by one, rejected or given another onset, the measures with and without.
import { Drafts, Saving, call, during, find, findAll, make, newest, page, say, showFlags, showProblem, typing } from "./common.js";

const here = `/api/${page.patient}/${page.session}/trials`;
const WIDTH = { rest: [-15, 75], active: [-50, 350] };
const PLAIN = { left: 46, right: 12, top: 10, bottom: 24 };
let answer = null, rows = [], sets = [], set = 0, shown = [], place = 0, problem = "", traces = new Map(), view = null;

const drafts = new Drafts(() => { draw(); ask({ drafts: drafts.list() }); });
const saving = new Saving(drafts, () => load());
const ask = newest((question) => call(`${here}/measure`, question), (found) => {
  problem = found.problem ?? "";
  showProblem(problem);
  if (found.result) { answer.result = found.result; rows = numbered(found.result.trials); choose(); }
  draw(); measures();
  document.body.dataset.measured = String(drafts.list().length);
}, (error) => { problem = error.message; showProblem(problem); words(); });

const numbered = (trials) => trials.map((row, index) => ({ ...row, index, set: sets.findIndex((one) => one.file === row.file && one.channel === row.channel) }));
const plain = (about) => about.replace(/^trial /, "");
const conditionOf = (row) => [row.condition || (row.kind === "unknown" ? "" : row.kind), row.isi_ms !== null && !String(row.condition ?? "").includes(String(row.isi_ms)) ? `${row.isi_ms} ms` : "", row.state === "active" ? "active" : ""].filter(Boolean).join(" ") || "all alike";

function stands(kind, about) {
  return answer.decisions.findLast((one) => one.kind === kind && plain(one.about) === plain(about))?.value ?? null;
}
function holding(kind, row) {
  const draft = row.about && drafts.get(kind, row.about);
  return draft ? draft.value : row.about ? stands(kind, row.about) : null;
}
const isOut = (row) => holding("trial", row) === "reject";
const onsetOf = (row) => holding("onset", row) ?? row.latency_ms;

const load = () => during(async () => {
  say("Reading the trials …");
  try {
    answer = await call(here, { drafts: drafts.list() });
    saving.head = answer.head; saving.signed = answer.signed; problem = answer.problem ?? "";
    const decided = problem && answer.decisions.some((one) => one.kind === "trial" || one.kind === "onset");
    showProblem(decided ? `${problem} A decision is taken back on the page of ${page.patient}.` : problem);
    for (const card of findAll(".trace, .amplitudes, .tools, .measured")) card.hidden = !answer.result;
    if (answer.result) {
      sets = [];
      for (const row of answer.result.trials) if (!sets.some((one) => one.file === row.file && one.channel === row.channel)) sets.push({ file: row.file, channel: row.channel });
      for (const one of sets) one.number = answer.sweeps.findIndex((sweep) => sweep.file === one.file && sweep.channel === one.channel);
      rows = numbered(answer.result.trials);
      const names = sets.map((one, i) => make("option", { value: i }, [one.file, one.channel].filter(Boolean).join(" · ")));
      find("#set").replaceChildren(...names);
      find("#set").value = set;
      await open(set);
      showFlags(answer.result.flags.filter((flag) => !/trial \d+$/.test(flag.subject)), (flag) => visit(spokenOf(flag)), spokenOf);
    }
    measures(); words(); say("");
    document.body.dataset.ready = "yes";
  } catch (error) { say(""); showProblem(error.message); }
});

async function open(number) {
  set = number;
  const own = sets[set], sweep = answer.sweeps[own.number];
  if (sweep && !own.data) own.data = new Float32Array(await call(`${here}/sweeps?set=${own.number}`));
  const found = [...new Set(rows.filter((row) => row.set === set).map(conditionOf))];
  const kept = find("#condition").value;
  find("#condition").replaceChildren(make("option", { value: "" }, "every one"), ...found.map((name) => make("option", { value: name }, name)));
  find("#condition").value = found.includes(kept) ? kept : "";
  choose(); frame(); draw();
}

function choose() {
  const wanted = find("#condition").value;
  shown = rows.filter((row) => row.set === set && (!wanted || conditionOf(row) === wanted));
  place = Math.min(place, Math.max(shown.length - 1, 0));
}

// The traces of what is shown, thinned to what a screen can tell apart: lowest and highest of every two pixels.
function frame() {
  const svg = find("#trace"), own = sets[set], sweep = answer.sweeps[own.number];
  const width = svg.clientWidth || 800, height = svg.clientHeight || 350;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  traces = new Map(); view = null;
  if (!sweep) { svg.replaceChildren(make("text", { x: 20, y: 40 }, "A table of amplitudes has no traces; its trials can be rejected below.")); return; }
  const [first, last] = shown.every((row) => row.state === "active") ? WIDTH.active : WIDTH.rest;
  const step = 1000 / sweep.rate_hz, from = Math.max(0, Math.round((first - sweep.start_ms) / step)), to = Math.min(sweep.samples, Math.round((last - sweep.start_ms) / step));
  const quiet = Math.round((8 - sweep.start_ms) / step); // the artefact is over
  const at = (row) => own.data.subarray((row.trial - 1) * sweep.samples, row.trial * sweep.samples);
  let top = 0.05;
  for (const row of shown) { const data = at(row); for (let i = quiet; i < to; i++) top = Math.max(top, Math.abs(data[i])); }
  top = (top * 1.08) / 2 ** (find("#height").value / 5);
  const x = (ms) => PLAIN.left + ((width - PLAIN.left - PLAIN.right) * (ms - first)) / (last - first);
  const y = (mv) => PLAIN.top + (height - PLAIN.top - PLAIN.bottom) * (0.5 - Math.max(-1.05, Math.min(1.05, mv / top)) / 2);
  view = { x, y, top, first, last, width, height, ms: (px) => first + ((px - PLAIN.left) / (width - PLAIN.left - PLAIN.right)) * (last - first) };
  const bin = Math.max(1, Math.floor((to - from) / (width / 2)));
  const lineOf = (row) => {
    const data = at(row), points = [];
    for (let i = from; i < to; i += bin) {
      let low = i, high = i;
      for (let k = i; k < Math.min(i + bin, to); k++) { if (data[k] < data[low]) low = k; if (data[k] > data[high]) high = k; }
      for (const k of low === high ? [low] : [Math.min(low, high), Math.max(low, high)]) points.push(`${x(sweep.start_ms + k * step).toFixed(1)},${y(data[k]).toFixed(1)}`);
    }
    return points.join(" ");
  };
  const nodes = [make("line", { class: "axis", x1: PLAIN.left, x2: width - PLAIN.right, y1: height - PLAIN.bottom, y2: height - PLAIN.bottom }), make("line", { class: "axis", x1: PLAIN.left, x2: width - PLAIN.right, y1: y(0), y2: y(0) }), make("line", { class: "pulse-line", x1: x(0), x2: x(0), y1: PLAIN.top, y2: height - PLAIN.bottom })];
  const tick = last > 100 ? 50 : 10;
  for (let ms = Math.ceil(first / tick) * tick; ms <= last; ms += tick) nodes.push(make("text", { x: x(ms), y: height - 7, "text-anchor": ms + tick > last ? "end" : "middle" }, ms === 0 ? "pulse" : `${ms}${ms + tick > last ? " ms" : ""}`.replace("-", "−")));
  const each = roundStep(top / 2), most = Math.floor(top / each);
  for (let k = -most; k <= most; k++) nodes.push(label(y(k * each), k * each, k === most));
  for (const row of shown) { const node = make("polyline", { class: "sweep", points: lineOf(row) }); traces.set(row.index, node); nodes.push(node); }
  nodes.push(make("line", { class: "onset", hidden: "", y1: PLAIN.top, y2: height - PLAIN.bottom }));
  svg.replaceChildren(...nodes);
}

// The largest of 1, 2, 5, 10 ... that is no larger: what an axis counts in.
function roundStep(most) {
  const ten = 10 ** Math.floor(Math.log10(most));
  return ten * [5, 2, 1].find((one) => one * ten <= most);
}
const label = (y, mv, last) => make("text", { x: PLAIN.left - 6, y: y + 4, "text-anchor": "end" }, `${Number(mv.toPrecision(2))}${last ? " mV" : ""}`.replace("-", "−"));

function draw() {
  if (!answer?.result) return words();
  const row = shown[place], svg = find("#trace");
  for (const one of shown) {
    const node = traces.get(one.index);
    if (node) node.setAttribute("class", `sweep${isOut(one) ? " out" : ""}${one === row ? " here" : ""}`);
  }
  const node = row && traces.get(row.index), line = find(".onset", svg);
  if (node) node.parentNode.insertBefore(node, line);
  if (line && view) {
    const ms = row ? onsetOf(row) : null, seen = ms !== null && ms !== undefined;
    line.toggleAttribute("hidden", !seen);
    if (seen) { line.setAttribute("x1", view.x(ms)); line.setAttribute("x2", view.x(ms)); line.setAttribute("class", `onset${row && holding("onset", row) !== null ? " moved" : ""}`); svg.setAttribute("aria-valuenow", ms.toFixed(1)); }
  }
  const ms = row ? onsetOf(row) : null;
  find("#trace-title").replaceChildren(row ? `Trial ${row.trial}` : "No trial", make("small", { class: "quiet" }, row ? [conditionOf(row), `${place + 1} of ${shown.length}`, row.amplitude_mv === null ? "" : `${row.amplitude_mv.toFixed(3)} mV`, ms ? `onset ${ms.toFixed(1)} ms` : "no onset", isOut(row) ? "rejected" : "", row.flags ? row.flags.replaceAll(",", ", ").replaceAll("-", " ") : ""].filter(Boolean).join(" · ") : ""));
  find("#reject").firstChild.textContent = row && isOut(row) ? "Take in " : "Reject ";
  find("#reject").disabled = !row?.about;
  find("#undo").disabled = !drafts.past.length; find("#redo").disabled = !drafts.future.length;
  amplitudes(row);
  words();
}

function amplitudes(here) {
  const own = rows.filter((row) => row.set === set), svg = find("#amplitudes"), width = svg.clientWidth || 800, height = 155;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const top = Math.max(0.05, ...own.map((row) => row.amplitude_mv ?? 0)) * 1.08;
  const x = (i) => PLAIN.left + ((width - PLAIN.left - PLAIN.right) * (i + 0.5)) / own.length, y = (mv) => height - PLAIN.bottom - ((height - PLAIN.bottom - PLAIN.top) * mv) / top;
  const each = roundStep(top / 2), most = Math.floor(top / each), within = new Set(shown.map((row) => row.index));
  const nodes = [make("line", { class: "axis", x1: PLAIN.left, x2: width - PLAIN.right, y1: y(0), y2: y(0) }), ...Array.from({ length: most + 1 }, (_, k) => label(y(k * each), k * each, k === most)), make("text", { x: PLAIN.left, y: height - 6 }, "trial 1"), make("text", { x: width - PLAIN.right, y: height - 6, "text-anchor": "end" }, String(own.length))];
  own.forEach((row, i) => {
    if (row.amplitude_mv === null) return;
    const spot = make("circle", { class: `spot${row.flags ? " flagged" : ""}${isOut(row) ? " out" : ""}${row.index === here?.index ? " here" : ""}${within.has(row.index) ? "" : " other"}`, cx: x(i), cy: y(row.amplitude_mv), r: row.index === here?.index ? 5 : 3.2 }, make("title", {}, `trial ${row.trial}`));
    spot.addEventListener("click", () => visit(row));
    nodes.push(spot);
  });
  svg.replaceChildren(...nodes);
}

// The trial a finding speaks of: the first that has it, or else the first of its recording, where it names one.
function spokenOf(flag) {
  const named = (row) => row.file && flag.subject.startsWith(row.file) && (!row.channel || flag.subject === row.file || flag.subject.includes(row.channel));
  const own = flag.subject ? rows.filter(named) : rows;
  return own.find((row) => row.flags?.split(",").includes(flag.code)) ?? (flag.subject ? own[0] : undefined);
}
async function visit(row) {
  if (row.set !== set) { find("#set").value = row.set; await open(row.set); }
  if (!shown.some((one) => one.index === row.index)) { find("#condition").value = ""; choose(); frame(); }
  place = shown.findIndex((one) => one.index === row.index);
  draw();
}

const keyOf = (one) => ["measure", "visit", "hemisphere", "muscle", "muscle_side", "isi_ms", "intensity", "conditioning", "channel", "file"].map((name) => one[name]).join("|");
// What was measured of one muscle at several intervals or strengths: from low to high, the rest as it comes.
function inOrder(keys, of) {
  const group = (one) => [one.measure, one.hemisphere, one.muscle].join(), groups = [...new Set(keys.map((key) => group(of(key))))];
  const step = (one) => one.isi_ms ?? Number.parseFloat(one.intensity);
  return keys.map((key) => ({ key, at: groups.indexOf(group(of(key))), step: step(of(key)) }))
    .sort((a, b) => a.at - b.at || (a.step || 0) - (b.step || 0)).map((one) => one.key);
}

function measures() {
  const body = find(".measures tbody");
  if (!answer?.result) { body.replaceChildren(); return; }
  const now = new Map(answer.result.estimates.map((one) => [keyOf(one), one])), was = new Map(answer.result.undecided.map((one) => [keyOf(one), one]));
  const number = (one) => (one?.value === null || one?.value === undefined ? "–" : Number(one.value).toPrecision(3));
  const within = (one) => (one && one.low !== null ? (one.high === null ? `above ${number({ value: one.low })}` : `${number({ value: one.low })} to ${number({ value: one.high })}`) : "");
  const count = (one) => (one?.n === null || one?.n === undefined ? "" : String(one.n));
  const list = inOrder([...was.keys(), ...[...now.keys()].filter((key) => !was.has(key))], (key) => now.get(key) ?? was.get(key)).map((key) => {
    const [before, after] = [was.get(key), now.get(key)], one = after ?? before, changed = before?.value !== after?.value || before?.n !== after?.n;
    const about = [one.hemisphere, one.muscle, one.isi_ms !== null ? `${one.isi_ms} ms` : one.intensity].filter(Boolean).join(" ");
    return make("tr", { class: changed ? "differs" : null }, make("th", { scope: "row" }, one.measure, make("small", {}, about)), make("td", { class: "n" }, number(before)),
      make("td", { class: `n${changed ? " changed" : ""}` }, number(after), make("small", {}, within(after))),
      make("td", { class: `n${changed ? " changed" : ""}`, "data-n": count(after), "data-value": after?.value ?? "" }, count(before) !== count(after) ? `${count(before)} → ${count(after)}` : count(after)));
  });
  body.replaceChildren(...list);
}

function words() {
  const list = drafts.list(), out = list.filter((one) => one.kind === "trial" && one.value === "reject").length, onsets = list.filter((one) => one.kind === "onset" && one.value !== null).length, back = list.length - out - onsets;
  const told = [out ? `${out} rejected` : "", onsets ? `${onsets} ${onsets === 1 ? "onset" : "onsets"} moved` : "", back ? `${back} taken back` : ""].filter(Boolean).join(", ");
  saving.show(told, Boolean(problem));
}

function reject(chosen, out) {
  const changes = chosen.filter((row) => row.about && isOut(row) !== out).map((row) => {
    const stood = stands("trial", row.about) === "reject";
    return { kind: "trial", about: row.about, value: out === stood ? undefined : out ? "reject" : null };
  });
  if (changes.length) drafts.set(changes);
}
function setOnset(ms, step = true) {
  const row = shown[place];
  if (!row?.about || !view) return;
  const value = Math.round(Math.min(499, Math.max(0.1, ms)) * 10) / 10;
  drafts.set([{ kind: "onset", about: row.about, value }], { step });
}
const go = (step) => { place = Math.min(Math.max(place + step, 0), shown.length - 1); draw(); };

find("#before").onclick = () => go(-1);
find("#next").onclick = () => go(1);
find("#reject").onclick = () => shown[place] && reject([shown[place]], !isOut(shown[place]));
find("#reject-all").onclick = () => reject(shown, true);
find("#undo").onclick = () => drafts.undo();
find("#redo").onclick = () => drafts.redo();
find("#set").onchange = (event) => { place = 0; open(Number(event.target.value)); };
find("#condition").onchange = () => { place = 0; choose(); frame(); draw(); };
find("#height").oninput = () => { frame(); draw(); };
find("#trace").addEventListener("pointerdown", (event) => {
  if (!view) return;
  const box = find("#trace").getBoundingClientRect(), ms = (later) => view.ms(((later.clientX - box.left) / box.width) * view.width);
  if (ms(event) <= 0) return;
  setOnset(ms(event));
  const move = (later) => setOnset(ms(later), false);
  const end = () => { removeEventListener("pointermove", move); removeEventListener("pointerup", end); };
  addEventListener("pointermove", move); addEventListener("pointerup", end);
});

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !typing(event)) { event.preventDefault(); event.shiftKey ? drafts.redo() : drafts.undo(); return; }
  if (typing(event) || event.ctrlKey || event.metaKey || event.altKey || event.target.type === "range") return;
  const row = shown[place], step = event.shiftKey ? 0.1 : 0.5;
  if (event.key === "j") go(1);
  else if (event.key === "k") go(-1);
  else if (event.key === "r" && row) reject([row], !isOut(row));
  else if (event.key === "R" && row) reject(rows.filter((one) => one.file === row.file && one.trial === row.trial), !isOut(row)); // in every channel
  else if (event.key === "u") drafts.undo();
  else if (event.key === "s") { event.preventDefault(); find("form.save").why.focus(); }
  else if ((event.key === "ArrowLeft" || event.key === "ArrowRight") && row) { event.preventDefault(); setOnset((onsetOf(row) ?? 20) + (event.key === "ArrowLeft" ? -step : step)); }
});
addEventListener("resize", () => { if (answer?.result) { frame(); draw(); } });
load().then(() => drafts.offer());
