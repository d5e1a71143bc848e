// The strips at the foot: who spikes, at what rates, how many synapses and neurons there are.

import { short } from "./colours.js";

const MOST_ROWS = 1500;

function fitted(canvas) {
  const scale = Math.min(devicePixelRatio, 2), width = Math.round(canvas.clientWidth * scale), height = Math.round(canvas.clientHeight * scale);
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; return true; }
  return false;
}

// Spikes as dots that move to the left; only what is new is painted.
class Raster {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.rest = 0;
  }

  clear() { this.context.clearRect(0, 0, this.canvas.width, this.canvas.height); this.rest = 0; }

  add(frame, world, window) {
    const { canvas, context } = this;
    if (fitted(canvas)) this.clear();
    const w = canvas.width, h = canvas.height, scale = w / window;
    const span = frame.time - frame.before;
    this.rest += span * scale;
    const shift = Math.min(Math.floor(this.rest), w);
    this.rest -= shift;
    if (shift > 0) {
      context.globalCompositeOperation = "copy";
      context.drawImage(canvas, -shift, 0);
      context.globalCompositeOperation = "source-over";
    }
    const { spike_time: when, spike_neuron: who } = frame.arrays;
    const every = Math.ceil(world.n / MOST_ROWS), dot = Math.max(1, Math.min(2.5, h / world.n));
    const order = world.rows();
    for (let k = 0; k < when.length; k++) {
      const i = who[k], [r, g, b] = world.popColours[world.population[i]];
      if (order[i] % every) continue; // of very many neurons some stand for all
      context.fillStyle = `rgb(${r},${g},${b})`;
      context.fillRect(w - 2 - this.rest - (span - when[k]) * scale, (order[i] / world.n) * (h - dot), Math.max(1.2, dot * 0.8), dot);
    }
  }
}

// Lines over time, one for each of some quantities.
class Lines {
  constructor(canvas, { fromZero = true } = {}) {
    Object.assign(this, { canvas, fromZero, context: canvas.getContext("2d"), points: [] });
  }

  clear() { this.points = []; }

  add(time, values, window) {
    this.points.push([time, ...values]);
    this.window = window;
    while (this.points.length > 2 && this.points[1][0] < time - window) this.points.shift();
    if (this.points.length > 700) this.points = this.points.filter((_, k) => k % 2 || k > 600);
  }

  draw(colours, unit) {
    const { canvas, context, points } = this;
    fitted(canvas);
    const w = canvas.width, h = canvas.height, lines = colours.length;
    context.clearRect(0, 0, w, h);
    if (!points.length) return;
    let low = this.fromZero ? 0 : Infinity, high = -Infinity;
    for (const point of points) for (let k = 1; k <= lines; k++) { low = Math.min(low, point[k]); high = Math.max(high, point[k]); }
    if (high <= low) { high = low + Math.max(1, 0.02 * Math.abs(low)); low -= this.fromZero ? 0 : high - low; }
    const room = high - low, top = high + 0.1 * room, bottom = this.fromZero ? low : low - 0.1 * room;
    const end = points.at(-1)[0], begin = end - this.window;
    const x = (t) => ((t - begin) / this.window) * w, y = (v) => h - 1 - ((v - bottom) / (top - bottom)) * (h - 2);
    context.lineWidth = Math.max(1.4, h / 70);
    context.lineJoin = "round";
    for (let k = 1; k <= lines; k++) {
      context.strokeStyle = colours[k - 1];
      context.beginPath();
      points.forEach((point, j) => (j ? context.lineTo(x(point[0]), y(point[k])) : context.moveTo(x(point[0]), y(point[k]))));
      context.stroke();
    }
    context.fillStyle = "rgba(147,163,184,0.85)";
    context.font = `${Math.round(h / 10 + 3)}px system-ui, sans-serif`;
    context.fillText(short(high, unit), 5, Math.round(h / 8 + 5));
  }
}

export class Strips {
  constructor() {
    const canvas = (id) => document.getElementById(id);
    this.raster = new Raster(canvas("raster"));
    this.rates = new Lines(canvas("rates"));
    this.synapses = new Lines(canvas("synapses"), { fromZero: false });
    this.neurons = new Lines(canvas("neurons"), { fromZero: false });
    this.now = Object.fromEntries(["synapses", "neurons"].map((name) => [name, document.getElementById(`${name}-now`)]));
  }

  clear() { for (const strip of [this.raster, this.rates, this.synapses, this.neurons]) strip.clear(); }

  add(frame, world, window) {
    this.raster.add(frame, world, window);
    const sum = (values) => values.reduce((a, b) => a + b, 0);
    this.rates.add(frame.time, frame.arrays.rates, window);
    this.synapses.add(frame.time, [sum(frame.arrays.synapses)], window * 4);
    this.neurons.add(frame.time, [sum(frame.arrays.neurons)], window * 4);
    this.counts = [sum(frame.arrays.synapses), sum(frame.arrays.neurons)];
  }

  draw(world) {
    if (!world.populations) return;
    this.rates.draw(world.populations.map((look) => look.colour), "Hz");
    this.synapses.draw(["#8fe3c0"]);
    this.neurons.draw(["#ffd9a8"]);
    if (!this.counts) return;
    this.now.synapses.textContent = short(this.counts[0]);
    this.now.neurons.textContent = short(this.counts[1]);
  }
}
