/**
 * The drawing of the map: a dot for each point, under the mouse and the keyboard.
 *
 * Arrow keys lead from point to point, Enter chooses one, + and - enlarge, 0 shows all, Escape gives up the choice. What
 * the keyboard reaches is read out.
 */
import { el, newId, svg } from "./dom.js";
import { View } from "./map-view.js";

const REACH = 16;
const STEP = 1.6;
const DRAG = 5;

export class Plot {
  /**
   * `points` have x and y; `classOf(point)` is the class of its dot; `describe(point)` its words. `onChosen(number)` is
   * told of the point that was chosen, -1 for none.
   */
  constructor(points, { classOf, describe, onChosen, signal }) {
    this.points = points;
    this.describe = describe;
    this.onChosen = onChosen;
    this.view = new View(points);
    this.current = -1;
    this.chosen = -1;
    this.dragged = 0;
    this.dots = points.map((point) => svg("circle", { class: `dot ${classOf(point)}`, r: points.length > 1500 ? 2.5 : 3.5 }));
    this.ring = svg("circle", { class: "ring", r: 8, visibility: "hidden" });
    this.mark = svg("circle", { class: "ring chosen", r: 8, visibility: "hidden" });
    this.svg = svg("svg", { class: "dots", "aria-hidden": "true" }, this.dots, this.mark, this.ring);
    this.tip = el("p", { class: "tip", hidden: true, "aria-hidden": "true" });
    this.said = el("p", { class: "unseen", "aria-live": "polite" });
    this.element = this.build(signal);
  }

  build(signal) {
    const hint = newId("map-keys");
    const label = `Map of ${this.points.length} chunks`;
    const field = el(
      "div",
      { class: "field", tabindex: 0, role: "application", "aria-label": label, "aria-describedby": hint },
      this.svg,
      this.tip,
    );
    const on = (name, listener) => field.addEventListener(name, listener, { signal });
    on("pointerdown", () => {
      this.dragged = 0;
    });
    on("pointermove", (event) => this.hover(event));
    on("pointerleave", () => this.show(-1));
    // The end of a drag is no choice.
    on("click", (event) => this.dragged < DRAG && this.choose(this.at(event)));
    on("dblclick", (event) => this.enlarge(STEP, ...this.pixels(event)));
    on("keydown", (event) => this.press(event));
    on("focus", () => this.current < 0 && field.matches(":focus-visible") && this.reach(this.start()));
    on("blur", () => this.show(-1));
    field.addEventListener("wheel", (event) => this.turn(event), { signal, passive: false });
    this.field = field;
    const watcher = new ResizeObserver(() => this.resize());
    watcher.observe(field);
    signal.addEventListener("abort", () => watcher.disconnect());
    const keys = "Arrow keys lead from point to point, Enter shows the document, plus and minus enlarge, 0 shows all.";
    return el("div", { class: "plot" }, field, this.buttons(), el("p", { id: hint, class: "hint keys" }, keys), this.said);
  }

  buttons() {
    const button = (label, text, act) =>
      el("button", { type: "button", class: "small", "aria-label": label, title: label, onclick: act }, text);
    return el(
      "div",
      { class: "zoom" },
      button("Enlarge", "+", () => this.enlarge(STEP)),
      button("Make smaller", "−", () => this.enlarge(1 / STEP)),
      button("Show all", "All", () => this.reset()),
    );
  }

  /** Choose a point by its number, -1 for none. */
  choose(number) {
    this.chosen = number;
    if (number >= 0) this.view.bringIn(this.points[number]);
    this.draw();
    this.onChosen(number);
  }

  /** Let only the dots of this class stand out; null for all. */
  highlight(name) {
    this.svg.classList.toggle("some", name !== null);
    for (const dot of this.dots) dot.classList.toggle("lit", name !== null && dot.classList.contains(name));
  }

  start() {
    return this.view.nearest(this.view.width / 2, this.view.height / 2, Infinity);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.field;
    if (width === 0) return;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.view.resize(width, height);
    this.draw();
  }

  draw() {
    this.points.forEach((point, number) => moveTo(this.dots[number], this.view.place(point)));
    this.showRing(this.mark, this.chosen);
    this.show(this.current);
  }

  /** Point out a point that the mouse is on or the keyboard has reached. */
  show(number) {
    this.current = number;
    this.showRing(this.ring, number);
    this.tip.hidden = number < 0;
    if (number < 0) return;
    const [left, top] = this.view.place(this.points[number]);
    this.tip.textContent = this.describe(this.points[number]);
    this.tip.classList.toggle("to-left", left > this.view.width / 2);
    this.tip.classList.toggle("above", top > this.view.height / 2);
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${top}px`;
  }

  showRing(ring, number) {
    ring.setAttribute("visibility", number < 0 ? "hidden" : "visible");
    if (number >= 0) moveTo(ring, this.view.place(this.points[number]));
  }

  reach(number) {
    if (number < 0) return;
    this.view.bringIn(this.points[number]);
    this.current = number;
    this.draw();
    this.said.textContent = this.describe(this.points[number]);
  }

  enlarge(factor, ...at) {
    this.view.enlarge(factor, ...at);
    this.field.classList.toggle("enlarged", !this.view.isWhole);
    this.draw();
  }

  reset() {
    this.view.reset();
    this.field.classList.remove("enlarged");
    this.draw();
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = this.actOf(event.key);
    if (!act) return;
    event.preventDefault();
    act();
  }

  actOf(key) {
    if (key.startsWith("Arrow")) return () => this.reach(this.current < 0 ? this.start() : this.view.next(this.current, key));
    return {
      Enter: () => this.choose(this.current),
      " ": () => this.choose(this.current),
      Escape: () => this.choose(-1),
      "+": () => this.enlarge(STEP),
      "=": () => this.enlarge(STEP),
      "-": () => this.enlarge(1 / STEP),
      0: () => this.reset(),
    }[key];
  }

  hover(event) {
    if (event.buttons === 1 && !this.view.isWhole) {
      this.dragged += Math.abs(event.movementX) + Math.abs(event.movementY);
      this.view.shift(event.movementX, event.movementY);
      this.draw();
      return;
    }
    const number = this.at(event);
    if (number !== this.current) this.show(number);
  }

  turn(event) {
    // Without a key the wheel scrolls the page, as everywhere.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.enlarge(event.deltaY < 0 ? STEP : 1 / STEP, ...this.pixels(event));
  }

  at(event) {
    return this.view.nearest(...this.pixels(event), REACH);
  }

  pixels(event) {
    const box = this.field.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
}

function moveTo(circle, [left, top]) {
  circle.setAttribute("cx", left.toFixed(1));
  circle.setAttribute("cy", top.toFixed(1));
}
