// The neuron that was picked: its facts, its trace, its synapses; and the lesion of it and of those around it.

import { short, timeText } from "./colours.js";
import { make } from "./panel.js";

export class Neuron {
  constructor(link, world, hooks) {
    Object.assign(this, { link, world, hooks });
    this.card = document.getElementById("neuron");
    this.chosen = [];
    this.radius = 0;
    this.trace = [];
  }

  get picked() { return this.chosen.at(-1); }

  async pick(id, more = false) {
    this.chosen = id === null ? [] : more ? [...this.chosen.filter((one) => one !== id), id] : [id];
    this.trace = []; this.key = null; this.facts = null;
    if (id === null) {
      this.card.hidden = true;
      this.hooks.mark([], []);
      this.link.ask("trace", { neuron: null }).catch(() => {});
      return;
    }
    await this.refresh();
    if (!this.facts) return;
    const names = Object.keys(this.facts.variables);
    if (!names.includes(this.variable)) this.variable = names.includes("v") ? "v" : names[0];
    this.build();
    this.follow();
  }

  async refresh() {
    const id = this.picked;
    if (id === undefined) return;
    try {
      const facts = await this.link.ask("pick", { neuron: id });
      if (this.picked !== id) return;
      this.facts = facts;
      this.marks();
    } catch (error) {
      this.facts = null;
      this.card.hidden = true;
      this.hooks.complain(error.message);
    }
  }

  async follow() {
    if (!this.variable || this.facts?.trace) return;
    try {
      const answer = await this.link.ask("trace", { neuron: this.picked, variable: this.variable });
      this.key = answer.trace; this.unit = answer.unit; this.trace = [];
    } catch { this.key = null; }
  }

  // Ids of the chosen, and of all within the radius of the one picked last.
  selection() {
    const { world } = this, ids = new Set(this.chosen), at = world.placeOf(this.picked);
    if (this.radius > 0 && at >= 0) {
      const p = world.position, r2 = this.radius ** 2;
      for (let i = 0; i < world.n; i++) {
        const d2 = (p[3 * i] - p[3 * at]) ** 2 + (p[3 * i + 1] - p[3 * at + 1]) ** 2 + (p[3 * i + 2] - p[3 * at + 2]) ** 2;
        if (world.alive[i] && d2 <= r2) ids.add(world.id[i]);
      }
    }
    return [...ids];
  }

  marks() {
    const { world, facts } = this, at = world.placeOf(this.picked), links = [];
    if (facts && at >= 0) {
      for (const [way, colour] of [["out", [0.95, 0.72, 0.4]], ["in", [0.35, 0.7, 1.0]]]) {
        for (const synapse of facts[way].synapses) {
          const other = world.placeOf(synapse.neuron);
          if (other >= 0) links.push([at, other, colour]);
        }
      }
    }
    this.hooks.mark(this.selection().slice(0, 3000).map((id) => world.placeOf(id)).filter((i) => i >= 0), links);
  }

  build() {
    const { facts, card, world } = this;
    const look = world.populations.find((one) => one.name === facts.population);
    card.hidden = false;
    const head = make("div", "big");
    const name = make("span", "", `neuron ${facts.neuron}`);
    const close = make("button", "", "×");
    close.onclick = () => this.pick(null);
    head.append(name, close);
    this.rows = make("div", "facts");
    const what = make("div", "hint", `${facts.population} · ${facts.model}`);
    what.style.color = look?.colour;
    this.canvas = make("canvas");
    const choose = make("select");
    const names = Object.keys(facts.variables).length ? Object.keys(facts.variables) : Object.keys(facts.trace || {});
    for (const variable of names) choose.append(new Option(variable, variable, false, variable === this.variable));
    choose.onchange = () => { this.variable = choose.value; this.follow(); };
    choose.hidden = this.canvas.hidden = !names.length;
    if (facts.trace && !names.includes(this.variable)) this.variable = names[0];
    card.replaceChildren(head, what, this.rows, choose, this.canvas, this.lesion(), this.list("out"), this.list("in"));
    this.tick();
  }

  lesion() {
    const row = make("div", "row");
    if (this.hooks.recorded()) return row;
    const around = make("input"), button = make("button", "danger");
    Object.assign(around, { type: "range", min: 0, max: Math.max(1, this.hooks.extent()), step: "any", value: this.radius, title: "with all within this distance" });
    const word = () => { button.textContent = `lesion ${this.selection().length}`; };
    around.oninput = () => { this.radius = +around.value; word(); this.marks(); this.hooks.redraw(); };
    button.id = "lesion";
    button.onclick = async () => {
      try {
        const { removed } = await this.link.ask("lesion", { neurons: this.selection() });
        this.hooks.complain(`${removed} neurons removed`, false);
        this.pick(null);
      } catch (error) { this.hooks.complain(error.message); }
    };
    word();
    row.append(make("span", "hint", "around"), around, button);
    return row;
  }

  list(way) {
    const { facts } = this, part = make("details"), table = make("table");
    part.append(make("summary", "", way === "out" ? `sends to ${facts.out.count}` : `receives from ${facts.in.count}`), table);
    for (const s of facts[way].synapses.slice(0, 60)) {
      const row = make("tr"), link = make("a", "", s.neuron), cell = make("td");
      link.onclick = () => this.pick(s.neuron);
      cell.append(link);
      row.append(cell, make("td", "", s.projection), make("td", "", `${short(s.weight, s.unit)} · ${short(s.delay, "ms")}`));
      table.append(row);
    }
    return part;
  }

  frame(frame) {
    const fresh = this.key && frame.traces?.[this.key];
    if (fresh) {
      for (const [time, value] of fresh) if (value !== null) this.trace.push([time, value]);
      if (this.trace.length > 600) this.trace.splice(0, this.trace.length - 600);
    }
    if (this.picked !== undefined && frame.arrays.died.length && this.world.placeOf(this.picked) < 0) this.pick(null);
  }

  tick() {
    const { world, facts } = this;
    if (!facts || this.card.hidden) return;
    const at = world.placeOf(this.picked);
    const rows = [["rate", at >= 0 ? `${world.rate[at].toFixed(1)} Hz` : "–"], ["out · in", `${facts.out.count} · ${facts.in.count}`]];
    if (facts.born !== null) rows.push(["born", timeText(facts.born).join(" ")]);
    if (this.trace.length) rows.push([this.variable, short(this.trace.at(-1)[1], this.unit)]);
    this.rows.replaceChildren(...rows.map(([name, value]) => { const cell = make("div"); cell.append(make("span", "", `${name} `), value); return cell; }));
    const recorded = facts.trace?.[this.variable];
    const points = recorded ? recorded[0].map((t, k) => [t, recorded[1][k]]).slice(-600) : this.trace;
    if (points.length > 1) this.drawTrace(points);
  }

  drawTrace(points) {
    const { canvas } = this, scale = Math.min(devicePixelRatio, 2), context = canvas.getContext("2d");
    const w = canvas.width = canvas.clientWidth * scale, h = canvas.height = canvas.clientHeight * scale;
    let low = Math.min(...points.map((p) => p[1])), high = Math.max(...points.map((p) => p[1]));
    if (high - low < 1e-9) { low -= 0.5; high += 0.5; }
    const t0 = points[0][0], t1 = points.at(-1)[0];
    context.strokeStyle = "#ffe2bf";
    context.lineWidth = 1.3 * scale;
    context.beginPath();
    points.forEach(([t, v], k) => context[k ? "lineTo" : "moveTo"](((t - t0) / (t1 - t0 || 1)) * w, h - 4 - ((v - low) / (high - low)) * (h - 8)));
    context.stroke();
    context.fillStyle = "#93a3b8";
    context.font = `${10 * scale}px system-ui, sans-serif`;
    context.fillText(short(high, this.unit), 4, 11 * scale);
    context.fillText(short(low, this.unit), 4, h - 4);
  }
}
