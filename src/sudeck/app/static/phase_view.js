// One phase on the page: its image with window and level, both regions over it, zoom, and what is dragged.
import { find, make, put } from "./common.js";
import { apply, invert, moved, nearestEdge, pathOf, rounded, turned, centre } from "./geometry.js";

const TITLES = { vascular: "Vascular", tissue: "Tissue", bone: "Bone" };

export function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

export class PhaseView {
  // edit moves what is dragged: { region(points), corners(), mirror(), shift(start, dx, dy), spin(start, degrees), mark() }.
  constructor(name, phase, edit) {
    Object.assign(this, { name, phase, edit, counts: unpack(phase.counts), top: phase.top, frame: null, zoom: { scale: 1, x: 0, y: 0 } });
    this.canvas = make("canvas", { width: phase.columns, height: phase.rows, "aria-hidden": "true" });
    this.svg = make("svg", { viewBox: `-0.5 -0.5 ${phase.columns} ${phase.rows}`, role: "group", "aria-label": `${TITLES[name]} phase with both regions` });
    this.moving = make("div", { class: "moved" }, this.canvas, this.svg);
    const [left, right] = phase.image_left === "right" ? ["R", "L"] : phase.image_left === "left" ? ["L", "R"] : ["?", "?"];
    this.box = make("div", { class: "view" }, this.moving,
      make("span", { class: "mark left", role: "img", "aria-label": spoken("Left", left) }, left),
      make("span", { class: "mark right", role: "img", "aria-label": spoken("Right", right) }, right));
    const time = phase.start_s === null ? "" : `${clock(phase.start_s)} ${phase.duration_s ? `for ${clock(phase.duration_s)}` : ""}`;
    this.node = make("section", { class: "phase", "data-phase": name, "aria-label": `${TITLES[name]} phase` }, make("h2", {}, TITLES[name], make("span", {}, `${phase.view} · ${time}`)), this.box);
    this.box.addEventListener("pointerdown", (event) => this.pressed(event));
    this.box.addEventListener("dblclick", (event) => this.split(event));
    this.box.addEventListener("wheel", (event) => { event.preventDefault(); this.onzoom?.(event.deltaY < 0 ? 1.2 : 1 / 1.2, this.share(event)); }, { passive: false });
  }

  paint(level, window) {
    const data = this.frame ?? this.counts, top = this.frame ? this.frameTop : this.top;
    const low = level * top, high = Math.max(low + 1e-9, window * top);
    const context = this.canvas.getContext("2d"), image = context.createImageData(this.phase.columns, this.phase.rows);
    for (let i = 0; i < data.length; i++) {
      const grey = 255 - 255 * Math.sqrt(Math.min(1, Math.max(0, (data[i] - low) / (high - low))));
      image.data[4 * i] = image.data[4 * i + 1] = image.data[4 * i + 2] = grey;
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  place(zoom) {
    this.zoom = zoom;
    this.moving.style.transform = `translate(${zoom.x * 100}%, ${zoom.y * 100}%) scale(${zoom.scale})`;
    this.draw();
  }

  // affected, healthy: polygons in pixels of the reference image; matrices to this one.
  show(affected, matrices, editable, free) {
    Object.assign(this, { affected, toAffected: matrices.to_affected, toHealthy: matrices.to_healthy, healthyMoved: matrices.healthy_moved, beyond: matrices.beyond, editable, free });
    this.draw();
  }

  // What is drawn keeps its nodes while a region moves: only where they lie changes.
  draw() {
    if (!this.affected) return;
    const here = this.affected.map((line) => line.map((point) => apply(this.toAffected, point))), there = this.affected.map((line, l) => this.counterpart(line, l));
    const parts = JSON.stringify([this.editable, this.free, here.map((line) => (this.editable ? line.length : 0)), this.places, this.zoom.scale]);
    if (parts !== this.parts) { this.parts = parts; this.build(here); }
    put(this.drawn.healthy, { d: there.map(pathOf).join("") });
    put(this.drawn.affected, { d: here.map(pathOf).join("") });
    if (this.drawn["healthy-turn"]) this.lift("healthy-turn", there.flat());
    if (this.drawn.turn) this.lift("turn", here[0]);
    this.drawn.corners.forEach((node, i) => put(node, { cx: here[0][i][0].toFixed(3), cy: here[0][i][1].toFixed(3) }));
  }

  // Where the healthy limb holds its fingers otherwise, corners lie beside the mirror image, as they are measured.
  counterpart(line, l) {
    const beyond = this.beyond?.[l]?.length === line.length ? this.beyond[l] : null;
    return line.map((point, i) => {
      const [x, y] = apply(this.toHealthy, point);
      return beyond ? [x + beyond[i][0], y + beyond[i][1]] : [x, y];
    });
  }

  build(here) {
    const active = this.svg.contains(document.activeElement) ? document.activeElement.dataset : {};
    const focused = active.corner !== undefined ? `[data-corner="${active.corner}"]` : active.drag ? `[data-drag="${active.drag}"]` : null;
    const radius = (this.phase.columns * 0.009) / this.zoom.scale;
    const drawn = {
      healthy: make("path", { class: `region healthy${this.free ? " draggable" : ""}`, ...(this.free ? this.held("healthy") : {}) }),
      affected: make("path", { class: `region affected${this.editable ? " draggable" : ""}`, ...(this.editable ? this.held("region") : {}) }),
      corners: [],
    };
    const nodes = [drawn.healthy, drawn.affected], kinds = [this.free && here.length ? "healthy-turn" : "", this.editable ? "turn" : ""];
    for (const kind of kinds.filter(Boolean)) nodes.push(...(drawn[kind] = this.handle(kind, radius)));
    if (this.editable) {
      drawn.corners = here[0].map((_, i) => make("circle", { class: "corner", r: radius, "data-drag": "corner", "data-corner": i, tabindex: "0", role: "button", "aria-label": `Corner ${i + 1} of ${here[0].length}, ${this.name}; arrows move it, Delete removes it` }));
      nodes.push(...drawn.corners);
    }
    for (const [cx, cy] of this.places ?? []) nodes.push(make("circle", { class: "place", cx, cy, r: this.phase.columns * 0.035 }));
    this.drawn = drawn;
    this.svg.replaceChildren(...nodes);
    if (focused) find(focused, this.svg)?.focus();
  }

  held(kind) {
    const words = { region: "Region on the affected side", healthy: "Region on the healthy side" };
    return { "data-drag": kind, tabindex: "0", role: "button", "aria-label": `${words[kind]}, ${this.name} phase; arrows move it, brackets turn it` };
  }
  // The round handle above a region that turns it: a stem and a knob.
  handle(kind, radius) {
    return [make("line", { class: `stem ${kind}` }), make("circle", { class: `turner ${kind}`, r: radius * 1.35, "data-drag": kind })];
  }
  lift(kind, points) {
    const [stem, knob] = this.drawn[kind], radius = (this.phase.columns * 0.009) / this.zoom.scale, [cx] = centre(points);
    const highest = Math.min(...points.map((p) => p[1])), cy = Math.max(highest - radius * 5, radius);
    put(stem, { x1: cx, y1: highest, x2: cx, y2: cy });
    put(knob, { cx, cy });
  }

  // Marks the places that a finding speaks of; none to take the marks away.
  ring(places) {
    this.places = places;
    this.draw();
  }

  share(event) {
    const box = this.box.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }
  at(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    return [point.x, point.y];
  }

  pressed(event) {
    const target = event.target.closest("[data-drag]"), kind = target?.dataset.drag ?? "image";
    event.preventDefault();
    target?.focus?.();
    const start = this.at(event), share = this.share(event), back = invert(this.toAffected ?? [1, 0, 0, 1, 0, 0]);
    const points = this.editable ? this.edit.corners() : null, zoom = { ...this.zoom }, mirror = this.edit.mirror();
    const corner = Number(target?.dataset.corner), ofHealthy = kind.startsWith("healthy");
    const middle = this.affected?.length && centre(this.affected.flat().map((point) => apply(ofHealthy ? this.toHealthy : this.toAffected, point)));
    const angle = ([x, y]) => Math.atan2(y - middle[1], x - middle[0]), unmoved = invert(this.healthyMoved ?? [1, 0, 0, 1, 0, 0]);
    let begun = false;
    const move = (later) => {
      const now = this.at(later);
      if (kind === "image") { const here = this.share(later); this.onpan?.(zoom, here[0] - share[0], here[1] - share[1]); return; }
      if (!begun) { begun = true; this.edit.mark(); }
      if (kind === "healthy-turn") { this.edit.spin(mirror, ((angle(now) - angle(start)) * 180) / Math.PI); return; }
      if (kind === "healthy") {
        const [a, b] = [apply(unmoved, start), apply(unmoved, now)];
        this.edit.shift(mirror, b[0] - a[0], b[1] - a[1]);
        return;
      }
      if (kind === "turn") {
        const here = points.map((point) => apply(this.toAffected, point));
        const degrees = ((angle(now) - angle(start)) * 180) / Math.PI;
        this.edit.region(rounded(turned(here, degrees, middle).map((point) => apply(back, point))));
        return;
      }
      const [a, b] = [apply(back, start), apply(back, now)], dx = b[0] - a[0], dy = b[1] - a[1];
      if (kind === "region") this.edit.region(rounded(moved(points, dx, dy)));
      else this.edit.region(rounded(points.map((point, i) => (i === corner ? [point[0] + dx, point[1] + dy] : point))));
    };
    const end = () => {
      removeEventListener("pointermove", move); removeEventListener("pointerup", end); removeEventListener("pointercancel", end);
    };
    addEventListener("pointermove", move); addEventListener("pointerup", end); addEventListener("pointercancel", end);
  }

  split(event) {
    if (!this.editable) return;
    const points = this.edit.corners(), place = apply(invert(this.toAffected), this.at(event)), edge = nearestEdge(points, place);
    this.edit.mark();
    this.edit.region(rounded([...points.slice(0, edge + 1), place, ...points.slice(edge + 1)]));
  }
}

const spoken = (place, mark) => `${place} of the image: ${{ R: "right side of the body", L: "left side of the body", "?": "side not known" }[mark]}`;
const clock = (seconds) => (seconds >= 3600 ? `${(seconds / 3600).toFixed(1)} h` : seconds >= 90 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds)} s`);
