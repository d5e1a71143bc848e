// The panels: what is seen (legend, colours), what can be changed (sliders), and how time passes (transport).

import { NEURON_MODES, SYNAPSE_MODES, drawScale, short, timeText } from "./colours.js";

const $ = (id) => document.getElementById(id);

export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

export class Panel {
  constructor(link, world, hooks) {
    Object.assign(this, { link, world, hooks });
    this.state = {};
    this.transport();
    for (const [id, modes, key, repaint] of [["neuron-colour", NEURON_MODES, "neuronMode", "colourNeurons"], ["synapse-colour", SYNAPSE_MODES, "synapseMode", "colourSynapses"]]) {
      for (const mode of modes) $(id).append(new Option(mode, mode));
      $(id).onchange = () => { world[key] = $(id).value; world[repaint](); hooks.redraw(); this.scale(); };
    }
    $("slider-filter").oninput = () => this.filter();
  }

  // -- what is seen ----------------------------------------------------------------------------------------

  scene() {
    const { world } = this;
    $("legend").replaceChildren(...world.populations.map((look, k) => {
      const row = make("div", "legend-row");
      const dot = make("i"); dot.style.color = look.colour;
      const name = make("span", "name", look.name); name.title = `${look.model}, ${look.role}`;
      row.append(dot, name, make("span", "n"), make("span", "hz"));
      row.dataset.k = k;
      return row;
    }));
    this.scale();
  }

  tick() {
    const { world } = this;
    if (!world.rates) return;
    for (const row of $("legend").children) {
      row.children[2].textContent = short(world.neurons[row.dataset.k]);
      row.children[3].textContent = `${world.rates[row.dataset.k].toFixed(1)} Hz`;
    }
    const total = world.total, drawn = world.drawn;
    $("sampling").textContent = total > drawn ? `${short(drawn)} of ${short(total)} synapses drawn, by what is active` : `${short(total)} synapses`;
  }

  scale() {
    const { world } = this, mode = world.synapseMode, canvas = $("scale");
    const byNeuron = world.neuronMode === "rate" && !["weight", "delay", "age"].includes(mode);
    canvas.hidden = !byNeuron && !["weight", "delay", "age"].includes(mode);
    if (canvas.hidden || !world.projections) return;
    const [low, high] = world.ranges[byNeuron ? "rate" : mode];
    const unit = byNeuron ? "Hz" : mode === "weight" ? [...new Set(world.projections.map((p) => p.unit))].join("/") : "ms";
    const scale = mode === "age" ? "young" : mode === "weight" && low < 0 && high > 0 ? "signed" : "rising";
    drawScale(canvas, byNeuron ? "rising" : scale, short(low), short(high, unit));
  }

  // -- time ------------------------------------------------------------------------------------------------

  transport() {
    const say = (what, more) => this.link.ask(what, more).catch((error) => this.complain(error.message));
    $("play").onclick = () => say(this.state.paused ? "resume" : "pause");
    $("step").onclick = () => say("step", { ms: Math.max(1, this.state.dt || 0) });
    $("speed").oninput = () => {
      const value = +$("speed").value;
      const speed = value >= 2 && this.state.mode === "live" ? null : 10 ** value;
      this.showSpeed(speed);
      clearTimeout(this.speeding);
      this.speeding = setTimeout(() => say("speed", { speed }), 120);
    };
    $("scrub").oninput = () => {
      this.scrubbing = performance.now();
      if (this.seeking) { this.seekNext = +$("scrub").value; return; }
      this.seek(+$("scrub").value);
    };
    $("code").onclick = () => this.showCode();
    $("code-close").onclick = () => $("code-dialog").close();
    $("code-copy").onclick = () => navigator.clipboard?.writeText($("code-text").textContent).then(() => this.complain("copied", false));
    $("code-save").onclick = () => {
      const a = make("a");
      a.href = URL.createObjectURL(new Blob([$("code-text").textContent], { type: "text/plain" }));
      a.download = this.codeName;
      a.click();
      URL.revokeObjectURL(a.href);
    };
  }

  async seek(time) {
    this.seeking = true;
    await this.link.ask("seek", { time }).catch((error) => this.complain(error.message));
    this.seeking = false;
    if (this.seekNext !== undefined) { const next = this.seekNext; this.seekNext = undefined; this.seek(next); }
  }

  showSpeed(speed) {
    $("speed-value").textContent = speed === null ? "as fast as it can" : speed >= 0.1 ? `${+speed.toPrecision(2)} s per s` : `${+(speed * 1000).toPrecision(2)} ms per s`;
  }

  setState(state) {
    const before = this.state;
    this.state = state;
    $("title").textContent = state.title;
    document.title = `${state.title} · neurosim`;
    $("about").textContent = state.about || "";
    $("play").textContent = state.paused ? "▶" : "❚❚";
    $("play").classList.toggle("on", Boolean(state.paused));
    const replay = state.mode === "replay";
    $("scrub").hidden = !replay; $("progress").hidden = replay || !state.duration;
    if (replay) $("scrub").max = Math.max(state.end, 1e-9);
    if (document.activeElement !== $("speed")) {
      $("speed").value = state.speed === null ? 2 : Math.log10(state.speed);
      this.showSpeed(state.speed);
    }
    this.showStatus();
    $("code").hidden = false;
    if (!replay && (before.mode !== state.mode || before.done !== state.done || !this.listed)) this.list();
    $("sliders").hidden = replay || !this.listed;
  }

  showStatus(lost = false) {
    const { state } = this, status = $("status");
    const words = lost ? "connection lost" : state.mode === "replay" ? (state.paused ? "replay paused" : state.status === "running" ? "following" : "replay")
      : state.paused ? "paused" : state.status === "running" ? "live" : "idle";
    status.textContent = words;
    status.className = `status ${lost ? "lost" : state.paused || words === "idle" ? "paused" : "live"}`;
  }

  showTime(time) {
    const [number, unit] = timeText(time);
    $("time").textContent = number;
    $("time-unit").textContent = unit;
    const { state } = this;
    if (state.duration) $("progress").firstElementChild.style.width = `${Math.min(100, (100 * time) / state.duration)}%`;
    if (state.mode === "replay" && performance.now() - (this.scrubbing || -1e9) > 400) $("scrub").value = time;
  }

  complain(text, bad = true) {
    $("message").textContent = text;
    $("message").title = text;
    $("message").classList.toggle("bad", bad);
    clearTimeout(this.complaining);
    this.complaining = setTimeout(() => { $("message").textContent = ""; }, 5000);
  }

  async showCode() {
    try {
      const { code, language, done } = await this.link.ask("code");
      $("code-text").textContent = code || "This result holds no scenario.";
      $("code-done").textContent = done.length ? `${done.length} by hand: ${done.join("; ")}` : "nothing was done by hand";
      this.codeName = language === "yaml" ? `${this.state.title || "scenario"}-by-hand.yaml` : "by_hand.py";
      $("code-dialog").showModal();
    } catch (error) { this.complain(error.message); }
  }

  // -- sliders ---------------------------------------------------------------------------------------------

  async list() {
    if (this.listing) return;
    this.listing = true;
    try {
      const { parameters } = await this.link.ask("parameters");
      this.listed = parameters.length > 0;
      $("sliders").hidden = !this.listed;
      this.fill(parameters);
    } catch { /* the simulation does not run yet; the next state brings another chance */ }
    this.listing = false;
  }

  fill(parameters) {
    const known = new Map([...document.querySelectorAll(".slider")].map((row) => [row.dataset.path, row]));
    if (known.size === parameters.length && parameters.every((p) => known.has(p.path))) {
      for (const p of parameters) if (document.activeElement !== known.get(p.path).input) known.get(p.path).show(p.value, true);
      return;
    }
    const groups = new Map();
    for (const p of parameters) {
      if (!groups.has(p.group)) {
        const group = make("details");
        group.open = p.group.startsWith("input");
        group.append(make("summary", "", p.group));
        groups.set(p.group, group);
      }
      groups.get(p.group).append(this.slider(p));
    }
    $("slider-list").replaceChildren(...groups.values());
  }

  slider(p) {
    const row = make("div", "slider"), line = make("div", "line"), value = make("span", "value");
    const name = make("span", "name", p.name);
    row.dataset.path = p.path;
    row.title = `${p.path}: ${p.meaning}`;
    const input = make("input");
    Object.assign(input, { type: "range", min: p.low, max: p.high, step: (p.high - p.low) / 400 || "any", value: p.value });
    input.setAttribute("aria-label", `${p.group} ${p.name}`);
    row.input = input;
    row.show = (v, moves) => {
      value.textContent = short(v, p.unit);
      if (!moves) return;
      input.min = Math.min(input.min, v); input.max = Math.max(input.max, v);
      input.value = v;
    };
    row.show(p.value, false);
    let busy = false, next;
    const send = async (v) => {
      busy = true;
      try { row.show((await this.link.ask("set", { path: p.path, value: v })).value, false); this.complain(`${p.path} = ${short(v, p.unit)}`, false); }
      catch (error) { this.complain(error.message); this.list(); }
      busy = false;
      if (next !== undefined) { const v2 = next; next = undefined; send(v2); }
    };
    input.oninput = () => { const v = +input.value; row.show(v, false); if (busy) next = v; else send(v); };
    line.append(name, value);
    row.append(line, input);
    return row;
  }

  filter() {
    const words = $("slider-filter").value.toLowerCase();
    for (const group of $("slider-list").children) {
      let any = false;
      for (const row of group.querySelectorAll(".slider")) {
        row.hidden = !row.dataset.path.toLowerCase().includes(words);
        any ||= !row.hidden;
      }
      group.hidden = !any;
      if (words) group.open = any;
    }
  }
}
