// What every page uses: calls to the server, drafts with undo, saving, and saying what happens.

export const page = document.body.dataset;
export const find = (selector, within = document) => within.querySelector(selector);
export const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];

export function make(name, attributes = {}, ...children) {
  const svg = ["svg", "g", "path", "circle", "line", "rect", "text", "polyline", "title"].includes(name);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== undefined) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// Sets attributes, and text, of what is there already, and touches nothing that is so already.
export function put(node, attributes, text) {
  for (const [key, value] of Object.entries(attributes)) if (node.getAttribute(key) !== String(value)) node.setAttribute(key, value);
  if (text !== undefined && node.textContent !== text) node.textContent = text;
  return node;
}

let fading = 0;
export function say(text) {
  find(".status").textContent = text;
  clearTimeout(fading);
  if (text) fading = setTimeout(() => say(""), 5000);
}

export async function call(path, body) {
  const asked = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try {
    answer = await fetch(path, asked);
  } catch {
    throw Object.assign(new Error("The review is not running any more. Your edits are kept in this page: start it again with sudeck review."), { status: 0 });
  }
  const isJson = (answer.headers.get("content-type") || "").includes("json");
  const content = isJson ? await answer.json() : null;
  if (!answer.ok) throw Object.assign(new Error(content?.error ?? `The server answered ${answer.status}.`), { status: answer.status, content });
  return isJson ? content : answer.arrayBuffer();
}

// Marks the page as at work until something is done.
let under = 0;
export async function during(work) {
  under += 1;
  document.body.dataset.asking = "yes";
  try { return await work(); } finally { under -= 1; if (!under) delete document.body.dataset.asking; }
}

// Asks with the newest question only: while one is under way, later ones wait and all but the last are dropped.
export function newest(ask, done, failed) {
  let busy = false, waiting = null;
  return function run(question) {
    if (busy) { waiting = { question }; return; }
    busy = true;
    during(async () => {
      for (let next = { question }; next; ) {
        try { await done(await ask(next.question), next.question); } catch (error) { failed(error); }
        [next, waiting] = [waiting, null];
      }
      busy = false;
    });
  };
}

const KEEP_MS = 500;

// Drafts: decisions by what they are about, with undo; kept in the browser until they are saved or discarded.
export class Drafts {
  constructor(changed) {
    this.key = `sudeck ${page.study} ${page.reader} ${page.patient} ${page.session} ${page.part}`;
    this.now = {}; this.past = []; this.future = []; this.changed = changed; this.keptAt = 0; this.waiting = 0;
    addEventListener("pagehide", () => { if (this.waiting) this.write(); });
  }
  static name(kind, about) { return about ? `${kind} ${about}` : kind; }
  list() { return Object.values(this.now); }
  get(kind, about = "") { return this.now[Drafts.name(kind, about)]; }
  // A step of one gesture (a drag under way) replaces the step before; only the first can be undone to.
  set(changes, { step = true } = {}) {
    const next = { ...this.now };
    for (const { kind, about = "", value } of changes) {
      if (value === undefined) delete next[Drafts.name(kind, about)];
      else next[Drafts.name(kind, about)] = { kind, about, value };
    }
    if (step) { this.past.push(this.now); this.future = []; }
    this.now = next; this.keep(); this.changed();
  }
  mark() { this.past.push(this.now); this.future = []; }
  undo() { if (this.past.length) { this.future.push(this.now); this.now = this.past.pop(); this.keep(); this.changed(); say("Undone."); } }
  redo() { if (this.future.length) { this.past.push(this.now); this.now = this.future.pop(); this.keep(); this.changed(); say("Done again."); } }
  clear() { this.now = {}; this.past = []; this.future = []; this.write(); this.changed(); }
  // While something is dragged, twice a second is often enough; the page writes the rest when it goes.
  keep() {
    const since = performance.now() - this.keptAt;
    if (since > KEEP_MS) this.write();
    else if (!this.waiting) this.waiting = setTimeout(() => this.write(), KEEP_MS - since);
  }
  write() {
    clearTimeout(this.waiting);
    this.waiting = 0; this.keptAt = performance.now();
    try {
      if (this.list().length) localStorage.setItem(this.key, JSON.stringify({ when: new Date().toISOString(), drafts: this.now }));
      else localStorage.removeItem(this.key);
    } catch { say("The browser keeps no edits; save before you leave."); }
  }
  offer() {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(this.key)); } catch { kept = null; }
    if (!kept?.drafts || !Object.keys(kept.drafts).length) return;
    const box = find(".offer");
    const use = make("button", {}, "Go on with them"), drop = make("button", {}, "Discard");
    use.onclick = () => { box.hidden = true; this.past.push(this.now); this.now = kept.drafts; this.write(); this.changed(); };
    drop.onclick = () => { box.hidden = true; localStorage.removeItem(this.key); };
    box.replaceChildren(`There are edits of ${kept.when.slice(0, 16).replace("T", " ")} that were not saved. `, use, " ", drop);
    box.hidden = false;
  }
}

// The form that saves drafts: who is remembered, why is asked each time.
export class Saving {
  constructor(drafts, saved) {
    this.drafts = drafts; this.head = ""; this.saved = saved; this.signed = null;
    this.form = find("form.save");
    this.form.who.value = remembered();
    this.form.who.readOnly = Boolean(page.reader);
    this.form.onsubmit = (event) => { event.preventDefault(); this.save(); };
  }
  show(words, blocked = false) {
    const n = this.drafts.list().length;
    put(find(".pending"), {}, this.signed ? `Signed off by ${this.signed.who}: reopen the patient on its page to change anything.`
      : n ? `${n} ${n === 1 ? "change" : "changes"} not saved: ${words}.` : "Nothing is changed.");
    find("button", this.form).disabled = !n || blocked || Boolean(this.signed);
  }
  async save() {
    const { who, why } = this.form, clash = find(".clash");
    if (!this.form.reportValidity()) return;
    say("Saving …");
    clash.hidden = true;
    const body = { session: page.session, drafts: this.drafts.list(), who: who.value, why: why.value, seen: this.head };
    try {
      const answer = await call(`/api/${page.patient}/decisions`, body);
      remember(who.value);
      this.head = answer.head; why.value = "";
      this.drafts.clear();
      say(`Saved ${answer.saved === 1 ? "one decision" : `${answer.saved} decisions`}.`);
      this.saved();
    } catch (error) {
      say("");
      showClash(error, clash, () => { this.head = error.content.head; clash.hidden = true; this.save(); });
    }
  }
}

export function showClash(error, clash, anyway) {
  clash.replaceChildren(error.message);
  if (error.status === 409) {
    const list = make("ul", {}, ...error.content.decided.map((line) => make("li", {}, line)));
    const save = make("button", {}, "Save mine after these"), load = make("button", {}, "Load the page again");
    save.onclick = anyway; load.onclick = () => location.reload();
    clash.append(list, save, " ", load);
  }
  clash.hidden = false;
}

export const remembered = () => { if (page.reader) return page.reader; try { return localStorage.getItem("sudeck who") ?? ""; } catch { return ""; } };
export const remember = (who) => { try { localStorage.setItem("sudeck who", who); } catch { /* asked again next time */ } };
export const typing = (event) => /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "range";

let flagged = "";
// Where a finding has a place, it is a button that leads there.
export function showFlags(flags, place, placed = () => true) {
  const told = JSON.stringify(flags);
  if (told === flagged) return;
  flagged = told;
  const words = { info: "Note", caution: "Caution", serious: "Serious" };
  const items = flags.map((flag) => {
    const content = placed(flag) ? make("button", { type: "button" }, make("b", {}, words[flag.severity]), flag.message) : make("span", {}, make("b", {}, words[flag.severity]), flag.message);
    if (placed(flag)) content.onclick = () => place(flag);
    return make("li", { class: flag.severity }, content);
  });
  find(".flags").replaceChildren(...(items.length ? items : [make("li", {}, "Nothing was found.")]));
}

export function showProblem(text) {
  put(find(".problem"), {}, text || "").hidden = !text;
}

export const fixed = (value, digits = 3) => (value === null || value === undefined ? "–" : Number(value).toFixed(digits));

// The next patient of the list; what was not saved is kept and offered again.
document.addEventListener("keydown", (event) => {
  if (event.key === "n" && !typing(event) && !event.ctrlKey && !event.metaKey && !event.altKey) find(".tabs .next")?.click();
});
