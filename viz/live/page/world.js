// The network as the page knows it: scenes and frames of the server, in the arrays that are drawn.

import { CATEGORIES, paint, rgb } from "./colours.js";

const RATE_MEMORY = 1500; // ms at the usual pace
const MOST_SENDERS = 150, MOST_PULSES = 260; // in one frame: more would hide what they show

export class World {
  constructor(layers) {
    this.layers = layers;
    this.neuronMode = "population";
    this.synapseMode = "source";
    this.n = 0;
    this.drawn = 0;
    this.time = 0;
    this.exposure = 1;
    this.mostLit = 50000; // neurons that shine at a time, the brightest
    this.ranges = { weight: [0, 0], delay: [0, 1], age: [0, 1], rate: [0, 20] };
  }

  // -- scene ---------------------------------------------------------------------------------------------

  begin(scene, now) {
    const { neurons, synapses } = scene.arrays;
    Object.assign(this, { version: scene.version, time: scene.time, populations: scene.populations,
      projections: scene.projections, modules: scene.modules, slots: scene.slots, total: scene.total });
    this.popColours = scene.populations.map((look) => rgb(look.colour));
    this.n = 0;
    this.row = null;
    this.room(Math.max(64, Math.ceil(1.3 * neurons.id.length)));
    this.addNeurons(neurons);
    this.begun = scene.time;
    this.edges = { pre: new Uint32Array(this.slots), post: new Uint32Array(this.slots), weight: new Float32Array(this.slots),
      delay: new Float32Array(this.slots), born: new Float64Array(this.slots), projection: new Uint16Array(this.slots),
      used: new Uint8Array(this.slots) };
    this.layers.setSynapses(new Float32Array(6 * this.slots), new Uint8Array(6 * this.slots), new Float32Array(2 * this.slots),
      new Float32Array(4 * this.slots).fill(-1));
    this.out = new Map();
    this.drawn = 0;
    this.layers.ground();
    this.addSynapses(synapses, 0, false);
    this.rescale();
    this.colourNeurons();
    this.colourSynapses();
  }

  room(n) {
    const keep = (old, made) => { if (old && this.n) made.set(old.subarray(0, Math.min(old.length, made.length))); return made; };
    this.capacity = n;
    this.id = keep(this.id, new Uint32Array(n)); this.population = keep(this.population, new Uint16Array(n));
    this.module = keep(this.module, new Uint16Array(n)); this.position = keep(this.position, new Float32Array(3 * n));
    this.alive = keep(this.alive, new Uint8Array(n)); this.activity = keep(this.activity, new Uint8Array(n));
    this.lit = new Uint32Array(n);
    this.colour = keep(this.colour, new Uint8Array(3 * n)); this.rate = keep(this.rate, new Float32Array(n));
    this.layers.setNeurons(this.position, this.colour, this.activity, this.alive);
  }

  addNeurons(born) {
    const more = born.id.length, from = this.n;
    if (from + more > this.capacity) this.room(Math.ceil(1.5 * (from + more)));
    this.id.set(born.id, from); this.population.set(born.population, from); this.module.set(born.module, from);
    this.position.set(born.position, 3 * from);
    for (let i = 0; i < more; i++) this.alive[from + i] = born.alive[i] ? 255 : 0;
    this.n += more;
    this.places = null;
    this.layers.positions.touch(3 * from, 3 * this.n);
    this.layers.alive.touch(from, this.n);
  }

  placeOf(id) {
    if (!this.places) {
      this.places = new Map();
      for (let i = 0; i < this.n; i++) if (this.alive[i]) this.places.set(this.id[i], i);
    }
    return this.places.get(id) ?? -1;
  }

  addSynapses(shown, now, fades) {
    const e = this.edges, { ends, sources, lives } = this.layers, p = this.position;
    for (let k = 0; k < shown.slot.length; k++) {
      const s = shown.slot[k], a = shown.pre[k], b = shown.post[k];
      if (e.used[s]) this.forget(s);
      e.used[s] = 1; e.pre[s] = a; e.post[s] = b; e.projection[s] = shown.projection[k];
      e.weight[s] = shown.weight[k]; e.delay[s] = shown.delay[k]; e.born[s] = shown.born[k];
      for (let c = 0; c < 3; c++) { ends.array[6 * s + c] = p[3 * a + c]; ends.array[6 * s + 3 + c] = p[3 * b + c]; }
      sources.array[2 * s] = sources.array[2 * s + 1] = a;
      const newborn = fades && shown.born[k] > this.before;
      const since = newborn ? now : -Math.max(now, 1e-3); // negative: it comes softly, without a flash
      lives.array.set([since, 0, since, 0], 4 * s);
      if (!this.out.has(a)) this.out.set(a, new Set());
      this.out.get(a).add(s);
      ends.touch(6 * s, 6 * s + 6); sources.touch(2 * s, 2 * s + 2); lives.touch(4 * s, 4 * s + 4);
      this.drawn++;
      this.tint(s);
    }
  }

  forget(s) {
    this.edges.used[s] = 0;
    this.out.get(this.edges.pre[s])?.delete(s);
    this.drawn--;
  }

  hide(hidden, now) {
    const { lives } = this.layers;
    for (let k = 0; k < hidden.slot.length; k++) {
      const s = hidden.slot[k];
      if (this.edges.used[s]) this.forget(s);
      const end = hidden.died[k] ? now : -1;
      lives.array[4 * s + 1] = lives.array[4 * s + 3] = end;
      lives.touch(4 * s, 4 * s + 4);
    }
  }

  // -- frames ----------------------------------------------------------------------------------------------

  apply(frame, now) {
    const a = frame.arrays;
    this.before = frame.before; this.time = frame.time;
    if (a.born) this.addNeurons(a.born);
    for (const i of a.died) { this.alive[i] = 0; this.layers.alive.touch(i, i + 1); this.places = null; }
    if (a.hidden) this.hide(a.hidden, now);
    if (a.shown) this.addSynapses(a.shown, now, true);
    if (a.values) this.setValues(a.values);
    this.activity.set(a.activity);
    this.adapt();
    this.layers.acts.touch(0, this.n);
    this.layers.activity.send(this.activity.subarray(0, this.n));
    this.rates = a.rates; this.neurons = a.neurons; this.synapses = a.synapses;
    this.total = a.synapses.reduce((x, y) => x + y, 0);
    this.follow(frame);
    this.spread(frame);
  }

  // Eyes get used to the light: where all neurons fire, each shines less.
  adapt() {
    const heard = new Uint32Array(256);
    for (let i = 0; i < this.n; i++) heard[this.activity[i]]++;
    let least = 255, sum = 0, count = 0;
    for (let many = 0; least > 3 && many + heard[least] <= this.mostLit; least--) many += heard[least];
    for (let i = 0; i < this.n; i++) {
      sum += this.activity[i];
      const enough = least === 255 && count >= this.mostLit;
      if (this.activity[i] > Math.min(least, 254) && !enough) this.lit[count++] = i;
    }
    this.layers.active.choose(this.lit, count);
    const mean = sum / (255 * Math.max(this.n, 1)), want = Math.min(1, 0.16 / (mean + 0.1) + 0.12);
    this.exposure += 0.15 * (want - this.exposure);
  }

  setValues(values) {
    for (let k = 0; k < values.slot.length; k++) {
      const s = values.slot[k];
      this.edges.weight[s] = values.weight[k]; this.edges.delay[s] = values.delay[k];
      this.tint(s);
    }
  }

  // Mean rates of single neurons, for their colour.
  follow(frame) {
    const span = frame.time - frame.before, memory = Math.max(RATE_MEMORY, 60 * span), fade = Math.exp(-span / memory);
    const { spike_neuron: spiked } = frame.arrays, each = (1000 / memory) * (frame.spikes / Math.max(spiked.length, 1));
    for (let i = 0; i < this.n; i++) this.rate[i] *= fade;
    for (const i of spiked) this.rate[i] += each;
    if (this.neuronMode === "rate") this.colourNeurons();
  }

  // Spikes set out along the synapses that are drawn.
  spread(frame) {
    const { spike_time: when, spike_neuron: who } = frame.arrays, e = this.edges;
    const step = Math.max(1, Math.ceil(when.length / MOST_SENDERS)), each = Math.max(1, Math.floor((MOST_PULSES * step) / Math.max(when.length, 1)));
    for (let k = 0; k < when.length; k += step) {
      const outgoing = this.out.get(who[k]);
      if (!outgoing) continue;
      const [r, g, b] = this.popColours[this.population[who[k]]];
      let left = each;
      for (const s of outgoing) {
        if (left-- <= 0) break;
        this.layers.fly(this.position, e.pre[s], e.post[s], frame.before + when[k] - this.begun, e.delay[s], (r << 16) | (g << 8) | b);
      }
    }
  }

  // Row of each neuron in the raster: by population, then by id.
  rows() {
    if (this.rowsOf !== this.n || !this.row) {
      const order = Array.from({ length: this.n }, (_, i) => i).sort((a, b) => this.population[a] - this.population[b] || this.id[a] - this.id[b]);
      this.row = new Uint32Array(this.n);
      order.forEach((i, k) => { this.row[i] = k; });
      this.rowsOf = this.n;
    }
    return this.row;
  }

  // -- colours ---------------------------------------------------------------------------------------------

  colourNeurons() {
    for (let i = 0; i < this.n; i++) {
      if (this.neuronMode === "rate") paint(this.colour, 3 * i, "rising", 0.12 + 0.88 * Math.sqrt(this.rate[i] / this.ranges.rate[1]));
      else this.colour.set(this.neuronMode === "module" ? rgb(CATEGORIES[this.module[i] % CATEGORIES.length])
        : this.popColours[this.population[i]], 3 * i);
    }
    this.layers.colours.touch(0, 3 * this.n);
  }

  rescale() {
    const e = this.edges, span = (column, least) => {
      let low = Infinity, high = -Infinity;
      for (let s = 0; s < this.slots; s++) if (e.used[s]) { low = Math.min(low, column[s]); high = Math.max(high, column[s]); }
      return low > high ? [0, 1] : high - low < 1e-9 ? [Math.min(low, 0), Math.max(high, least)] : [low, high];
    };
    this.ranges.weight = span(e.weight, 0);
    this.ranges.delay = span(e.delay, 1);
    this.ranges.age = [0, Math.max(this.time - this.begun, 1)];
  }

  colourSynapses() {
    this.rescale();
    for (let s = 0; s < this.slots; s++) if (this.edges.used[s]) this.tint(s);
  }

  tint(s) {
    const e = this.edges, out = this.layers.tones, at = 6 * s, mode = this.synapseMode;
    const [low, high] = this.ranges.weight;
    if (mode === "source") out.array.set(this.popColours[this.population[e.pre[s]]], at);
    else if (mode === "projection") out.array.set(rgb(CATEGORIES[e.projection[s] % CATEGORIES.length]), at);
    else if (mode === "weight" && low < 0 && high > 0) paint(out.array, at, "signed", 0.5 + (0.5 * e.weight[s]) / (e.weight[s] < 0 ? -low : high));
    else if (mode === "weight") paint(out.array, at, "rising", 0.1 + (0.9 * (e.weight[s] - low)) / (high - low || 1));
    else if (mode === "delay") paint(out.array, at, "rising", 0.1 + (0.9 * (e.delay[s] - this.ranges.delay[0])) / (this.ranges.delay[1] - this.ranges.delay[0] || 1));
    else paint(out.array, at, "young", e.born[s] > this.begun ? (this.time - e.born[s]) / this.ranges.age[1] : 1);
    out.array.copyWithin(at + 3, at, at + 3);
    out.touch(at, at + 6);
  }
}
