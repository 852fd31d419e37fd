"use strict";
(() => {
  const NS = "http://www.w3.org/2000/svg";
  const make = (name, attributes = {}, ...children) => {
    const made = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const tag = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const seconds = (value) => (value < 0.9995e-3 ? `${(value * 1e6).toPrecision(3)} us`
    : value < 0.9995 ? `${(value * 1e3).toPrecision(3)} ms` : `${value.toPrecision(3)} s`);

  /* ---- Marks: the pointer or the arrow keys ask a bar what it is ---- */

  for (const paper of document.querySelectorAll(".paper")) {
    const marks = [...paper.querySelectorAll(".mark")];
    if (!marks.length) continue;
    const said = tag("p", { className: "mark-said" });
    said.setAttribute("role", "status");
    said.textContent = "Point at a bar, or move with the arrow keys.";
    said.classList.add(...paper.classList);
    said.classList.remove("paper");
    paper.after(said);
    let at = -1;
    const ask = (mark) => {
      marks.forEach((each) => each.classList.toggle("asked", each === mark));
      at = marks.indexOf(mark);
      said.textContent = mark.querySelector("title").textContent;
    };
    paper.addEventListener("pointermove", (event) => {
      const mark = event.target.closest(".mark");
      if (mark) ask(mark);
    });
    paper.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      ask(marks[(at + step + marks.length) % marks.length]);
    });
  }

  /* ---- Predict first: draw, then see ---- */

  const BOX = { w: 680, h: 440, left: 66, right: 16, top: 14, bottom: 46 };
  const key = (panel, lab) => `guess ${document.title} ${panel.id} ${lab}`;
  const remember = (name, value) => { try { localStorage.setItem(name, value); } catch { /* a page from disk may keep nothing */ } };
  const recall = (name) => { try { return localStorage.getItem(name); } catch { return null; } };

  class Guess {
    constructor(panel) {
      this.panel = panel;
      this.curves = JSON.parse(panel.dataset.curves);
      this.labs = Object.keys(this.curves);
      this.lab = this.labs[0];
      this.guesses = {};
      for (const lab of this.labs) this.guesses[lab] = JSON.parse(recall(key(panel, lab)) || "{}");
      const all = Object.values(this.curves).flat();
      const times = all.flatMap((each) => [each.measured, each.predicted]).filter((each) => each > 0);
      this.range = { x: [1, Math.max(...all.map((each) => each.clients)) * 1.2], y: [Math.min(...times) / 4, Math.max(...times) * 4] };
      this.xs = [...new Set(all.map((each) => each.clients))].sort((a, b) => a - b);
      this.column = 0;
      this.build();
    }

    build() {
      const chooser = tag("div", { className: "guess-labs" });
      this.buttons = this.labs.map((lab) => {
        const button = tag("button", { type: "button", className: lab.slice(0, 4), textContent: lab.replaceAll("-", " ") });
        button.addEventListener("click", () => { this.lab = lab; this.draw(); });
        return button;
      });
      chooser.append(...this.buttons);
      this.svg = make("svg", { viewBox: `0 0 ${BOX.w} ${BOX.h}`, tabindex: "0", role: "application",
        "aria-label": "Draw your guess: drag with the pointer, or arrows left and right choose a number of clients, up and down move the guess" });
      this.said = tag("p", { className: "guess-said" });
      this.said.setAttribute("role", "status");
      const again = tag("button", { type: "button", textContent: "Draw this one again" });
      again.addEventListener("click", () => { this.guesses[this.lab] = {}; remember(key(this.panel, this.lab), "{}"); this.draw(); });
      this.panel.append(tag("h3", { textContent: this.panel.dataset.title }), chooser, this.svg, this.said, again);
      this.listen();
      this.draw();
    }

    listen() {
      let isDown = false;
      const point = (event) => {
        const box = this.svg.getBoundingClientRect();
        this.set((event.clientX - box.left) / box.width * BOX.w, (event.clientY - box.top) / box.height * BOX.h);
      };
      this.svg.addEventListener("pointerdown", (event) => { if (this.isDone(this.lab)) return; isDown = true; this.svg.setPointerCapture(event.pointerId); point(event); });
      this.svg.addEventListener("pointermove", (event) => { if (isDown) point(event); });
      this.svg.addEventListener("pointerup", () => { isDown = false; this.draw(); });
      this.svg.addEventListener("keydown", (event) => {
        if (!/^Arrow/.test(event.key) || this.isDone(this.lab)) return;
        event.preventDefault();
        if (event.key === "ArrowLeft" || event.key === "ArrowRight")
          this.column = Math.max(0, Math.min(this.xs.length - 1, this.column + (event.key === "ArrowRight" ? 1 : -1)));
        const x = this.xs[this.column], known = this.guesses[this.lab][x] ?? Math.sqrt(this.range.y[0] * this.range.y[1]);
        const factor = { ArrowUp: 1.12, ArrowDown: 1 / 1.12 }[event.key];
        if (factor) this.put(x, known * factor);
        this.draw();
      });
    }

    x(clients) { return BOX.left + (BOX.w - BOX.left - BOX.right) * Math.log(clients / this.range.x[0]) / Math.log(this.range.x[1] / this.range.x[0]); }
    y(time) { return BOX.h - BOX.bottom - (BOX.h - BOX.top - BOX.bottom) * Math.log(time / this.range.y[0]) / Math.log(this.range.y[1] / this.range.y[0]); }

    set(px, py) {
      const near = this.xs.reduce((best, x) => (Math.abs(this.x(x) - px) < Math.abs(this.x(best) - px) ? x : best));
      const share = (BOX.h - BOX.bottom - py) / (BOX.h - BOX.top - BOX.bottom);
      this.column = this.xs.indexOf(near);
      this.put(near, this.range.y[0] * (this.range.y[1] / this.range.y[0]) ** Math.max(0, Math.min(1, share)));
      this.draw(true);
    }

    put(x, time) {
      this.guesses[this.lab][x] = time;
      remember(key(this.panel, this.lab), JSON.stringify(this.guesses[this.lab]));
    }

    /* All of a lab's points have a guess: then what was measured may be seen. */
    isDone(lab) { return this.curves[lab].every((each) => each.clients in this.guesses[lab]); }

    /* By which factor one was off, in the middle. */
    score(lab) {
      const off = this.curves[lab].map((each) => Math.abs(Math.log(this.guesses[lab][each.clients] / each.measured))).sort((a, b) => a - b);
      return Math.exp(off[Math.floor(off.length / 2)]);
    }

    draw(isDrawing = false) {
      this.svg.replaceChildren();
      const line = (x1, y1, x2, y2) => make("line", { x1, y1, x2, y2, class: "grid" });
      for (let n = 1; n <= this.range.x[1]; n *= 10)
        this.svg.append(line(this.x(n), BOX.top, this.x(n), BOX.h - BOX.bottom), make("text", { x: this.x(n), y: BOX.h - BOX.bottom + 18, "text-anchor": "middle" }, `${n}`));
      for (let t = 10 ** Math.ceil(Math.log10(this.range.y[0])); t <= this.range.y[1]; t *= 10)
        this.svg.append(line(BOX.left, this.y(t), BOX.w - BOX.right, this.y(t)), make("text", { x: BOX.left - 6, y: this.y(t) + 5, "text-anchor": "end" }, seconds(t).replace(/\.0+ /, " ")));
      this.svg.append(make("text", { x: (BOX.left + BOX.w) / 2, y: BOX.h - 6, "text-anchor": "middle" }, "clients at one instant; up: until the last is done"));
      for (const lab of this.labs) this.drawLab(lab, isDrawing);
      if (!this.isDone(this.lab)) {
        const x = this.x(this.xs[this.column]);
        this.svg.append(make("line", { x1: x, x2: x, y1: BOX.top, y2: BOX.h - BOX.bottom, class: "cursor" }));
      }
      this.buttons.forEach((button, i) => button.setAttribute("aria-pressed", this.labs[i] === this.lab));
      this.say();
    }

    drawLab(lab, isDrawing) {
      const name = lab.slice(0, 4), path = (pairs) => pairs.map(([x, t], i) => `${i ? "L" : "M"}${this.x(x)} ${this.y(t)}`).join("");
      const mine = Object.entries(this.guesses[lab]).map(([x, t]) => [Number(x), t]).sort((a, b) => a[0] - b[0]);
      if (mine.length) {
        this.svg.append(make("path", { d: path(mine), class: `mine ${name}` }));
        for (const [x, t] of mine) this.svg.append(make("circle", { cx: this.x(x), cy: this.y(t), r: 5, class: `mine-dot ${name}` }));
      }
      if (!this.isDone(lab) || (isDrawing && lab === this.lab)) return;
      const those = this.curves[lab];
      this.svg.append(make("path", { d: path(those.map((each) => [each.clients, each.measured])), class: `measured ${name}` }));
      for (const each of those)
        this.svg.append(make("rect", { x: this.x(each.clients) - 5, y: this.y(each.measured) - 5, width: 10, height: 10, class: `measured-dot ${name}` },
          make("title", {}, `${each.clients} clients: ${seconds(each.measured)}`)));
    }

    say() {
      const done = this.labs.filter((lab) => this.isDone(lab));
      const missing = this.curves[this.lab].filter((each) => !(each.clients in this.guesses[this.lab])).map((each) => each.clients);
      const at = this.guesses[this.lab][this.xs[this.column]];
      const scores = done.map((lab) => `${lab.split("-")[0]}: off by a factor of ${this.score(lab).toFixed(2)}`);
      const todo = missing.length ? `${this.lab.replaceAll("-", " ")}: draw a line from left to right; still to guess: ${missing.join(", ")} clients.` : "Squares: measured. Dots: your guess.";
      const now = at && missing.length ? ` ${this.xs[this.column]} clients: ${seconds(at)}.` : "";
      this.said.textContent = [todo + now, ...scores].join(" ");
      this.panel.dispatchEvent(new CustomEvent("guessed", { bubbles: true }));
    }
  }

  const panels = [...document.querySelectorAll(".guess")];
  if (!panels.length) return;
  const asked = tag("input", { type: "checkbox", id: "predict-first", checked: recall("predict-first") === "yes" });
  const label = tag("label", { className: "predict" }, asked, " Predict first: hide what was measured until I have drawn my guess");
  document.querySelector("nav").after(label);
  const guesses = new Map();
  const apply = () => {
    remember("predict-first", asked.checked ? "yes" : "no");
    for (const panel of panels) {
      panel.hidden = !asked.checked;
      if (asked.checked && !guesses.has(panel)) guesses.set(panel, new Guess(panel));
    }
    hide();
  };
  /* The experiment's charts, numbers and the page's opening would give the answer away. */
  const hide = () => {
    const isOpen = !asked.checked || panels.every((panel) => guesses.get(panel).labs.every((lab) => guesses.get(panel).isDone(lab)));
    for (const panel of panels) panel.closest("section").classList.toggle("covered", !isOpen);
    document.body.classList.toggle("guessing", !isOpen);
  };
  document.addEventListener("guessed", () => { if (guesses.size === panels.length) hide(); });
  asked.addEventListener("change", apply);
  apply();
})();
