// What is drawn: synapses as lines, spikes under way as pulses, neurons as lights, and rings around those selected.
// Light adds up (softly, so that nothing is ever quite white), so nothing has to be sorted.

import { ByteTexture, Choice, Mirror, TEXTURE_WIDTH, program, vertices } from "./gl.js";

export const PULSES = 8192;
const FADE_IN = 0.9, FLASH = 0.7; // s

const FOG = `
uniform mat4 camera; uniform float distance_, radius;
float fog(float depth) { return clamp(1.12 - 0.42 * (depth - distance_) / radius, 0.32, 1.35); }`;

const NEURON = [`${FOG}
layout(location=0) in vec3 position; layout(location=1) in vec3 colour; layout(location=2) in float activity;
layout(location=3) in float alive; uniform float size, pixels, exposure, resting;
out vec3 tone; out float glow;
void main() {
  gl_Position = camera * vec4(position, 1.0);
  float near = fog(gl_Position.w);
  glow = activity * exposure * (1.0 - resting);
  tone = colour * alive * near;
  gl_PointSize = alive < 0.02 ? 0.0 : clamp(size * pixels / gl_Position.w * (1.0 + 2.6 * sqrt(glow)), 2.0, 90.0);
}`, `
in vec3 tone; in float glow; out vec4 light;
uniform float resting;
void main() {
  float r = length(gl_PointCoord * 2.0 - 1.0);
  if (r > 1.0) discard;
  if (resting > 0.5) { light = vec4(smoothstep(1.0, 0.25, r) * tone * 0.42, 1.0); return; }
  float wide = 1.0 + 2.6 * sqrt(glow);
  float core = smoothstep(1.0, 0.25, r * wide), halo = exp(-3.2 * r * r) * (1.0 - r) * glow;
  vec3 hot = mix(tone, vec3(1.0, 0.97, 0.9), 0.75 * glow);
  light = vec4(core * hot * min(1.0, 1.6 * glow) + halo * tone * 1.1, 1.0);
}`];

const SYNAPSE = [`${FOG}
layout(location=0) in vec3 position; layout(location=1) in vec3 colour; layout(location=2) in float source;
layout(location=3) in vec2 life; uniform float now, faint, exposure; uniform sampler2D activity;
out vec3 light_;
void main() {
  gl_Position = camera * vec4(position, 1.0);
  int k = int(source);
  float acts = texelFetch(activity, ivec2(k % ${TEXTURE_WIDTH}, k / ${TEXTURE_WIDTH}), 0).r * exposure;
  float target = float(gl_VertexID & 1);
  float shown = clamp((now - abs(life.x)) / ${FADE_IN.toFixed(2)}, 0.0, 1.0), fresh = (1.0 - shown) * step(0.0, life.x);
  float ending = life.y > 0.0 ? clamp(1.0 - (now - life.y) / ${FLASH.toFixed(2)}, 0.0, 1.0) : 1.0;
  float dying = life.y > 0.0 ? ending : 0.0;
  float strength = faint * shown * (1.0 + acts * mix(2.4, 0.8, target)) + 0.30 * fresh;
  vec3 tone = mix(colour, vec3(0.55, 1.0, 0.75), 0.7 * fresh);
  light_ = life.y > 0.0 ? mix(colour * faint, vec3(1.0, 0.30, 0.22) * 0.75, dying) * ending : tone * strength * fog(gl_Position.w);
  if (life.y < 0.0 || (life.y > 0.0 && ending <= 0.0)) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}`, `
in vec3 light_; out vec4 light;
void main() { light = vec4(light_, 1.0); }`];

const PULSE = [`${FOG}
layout(location=0) in vec3 from; layout(location=1) in vec3 to; layout(location=2) in vec4 flight;
uniform float shown, size, pixels, least;
out vec3 tone; out float along;
void main() {
  along = (shown - flight.x) / max(flight.y, least);
  gl_Position = camera * vec4(mix(from, to, along), 1.0);
  bool under_way = along >= 0.0 && along < 1.0;
  if (!under_way) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  int packed = int(flight.z);
  tone = vec3(float(packed / 65536), float(packed / 256 % 256), float(packed % 256)) / 255.0 * fog(gl_Position.w);
  gl_PointSize = under_way ? clamp(0.62 * size * pixels / gl_Position.w, 2.5, 9.0) : 0.0;
}`, `
in vec3 tone; in float along; out vec4 light;
void main() {
  float r = length(gl_PointCoord * 2.0 - 1.0);
  if (r > 1.0) discard;
  light = vec4(mix(tone, vec3(1.0), 0.55 * (1.0 - r)) * (1.0 - r) * 1.1, 1.0);
}`];

const MARK = [`uniform mat4 camera; uniform float size, pixels; layout(location=0) in vec3 position; layout(location=1) in vec3 colour;
out vec3 tone;
void main() { gl_Position = camera * vec4(position, 1.0); tone = colour;
  gl_PointSize = clamp(size * pixels / gl_Position.w * 3.2, 16.0, 70.0); }`, `
in vec3 tone; out vec4 light; uniform float lines;
void main() {
  float r = length(gl_PointCoord * 2.0 - 1.0);
  float ring = lines > 0.5 ? 1.0 : smoothstep(0.12, 0.0, abs(r - 0.82));
  if (ring <= 0.0) discard;
  light = vec4(tone * ring, 1.0);
}`];

export class Layers {
  constructor(gl) {
    this.gl = gl;
    [this.neuron, this.synapse, this.pulse, this.mark] = [NEURON, SYNAPSE, PULSE, MARK].map((pair) => program(gl, ...pair));
    this.activity = new ByteTexture(gl);
    this.marks = new Mirror(gl, new Float32Array(0));
    this.markArray = vertices(gl, [[this.marks, 0, 3, false, 24, 0], [this.marks, 1, 3, false, 24, 12]]);
    this.links = new Mirror(gl, new Float32Array(0));
    this.linkArray = vertices(gl, [[this.links, 0, 3, false, 24, 0], [this.links, 1, 3, false, 24, 12]]);
    this.flights = new Mirror(gl, new Float32Array(10 * PULSES).fill(-1e9));
    this.flightArray = vertices(gl, [[this.flights, 0, 3, false, 40, 0], [this.flights, 1, 3, false, 40, 12], [this.flights, 2, 4, false, 40, 24]]);
    this.nextFlight = 0;
  }

  setNeurons(positions, colours, activity, alive) {
    this.positions = new Mirror(this.gl, positions); this.colours = new Mirror(this.gl, colours);
    this.acts = new Mirror(this.gl, activity); this.alive = new Mirror(this.gl, alive);
    const attributes = [[this.positions, 0, 3], [this.colours, 1, 3, true], [this.acts, 2, 1, true], [this.alive, 3, 1, true]];
    const order = Uint32Array.from(alive, (_, i) => i);
    for (let i = order.length - 1; i > 0; i--) { // shuffled, so that any part of it is a sample
      const k = Math.floor(Math.random() * (i + 1));
      [order[i], order[k]] = [order[k], order[i]];
    }
    this.all = new Choice(this.gl, attributes, order);
    this.active = new Choice(this.gl, attributes, new Uint32Array(0));
  }

  setSynapses(ends, colours, sources, lives) {
    this.ends = new Mirror(this.gl, ends); this.tones = new Mirror(this.gl, colours);
    this.sources = new Mirror(this.gl, sources); this.lives = new Mirror(this.gl, lives);
    this.synapseArray = vertices(this.gl, [[this.ends, 0, 3], [this.tones, 1, 3, true], [this.sources, 2, 1], [this.lives, 3, 2]]);
  }

  // A spike sets out: from and to are places in `positions`, start and delay ms, colour 0xrrggbb.
  fly(positions, from, to, start, delay, colour) {
    const a = this.flights.array, at = 10 * this.nextFlight;
    for (let k = 0; k < 3; k++) { a[at + k] = positions[3 * from + k]; a[at + 3 + k] = positions[3 * to + k]; }
    a[at + 6] = start; a[at + 7] = delay; a[at + 8] = colour;
    this.flights.touch(at, at + 10);
    this.nextFlight = (this.nextFlight + 1) % PULSES;
  }

  ground() { this.flights.array.fill(-1e9); this.flights.touch(0, this.flights.array.length); }

  use({ made, uniforms }, camera, view) {
    const { gl } = this;
    gl.useProgram(made);
    gl.uniformMatrix4fv(uniforms.camera, false, camera.matrix);
    const facts = { distance_: camera.now.distance, radius: camera.radius || 300, ...view };
    for (const [name, value] of Object.entries(facts)) if (uniforms[name]) gl.uniform1f(uniforms[name], value);
  }

  drawSynapses(camera, view, first, count) {
    const { gl } = this;
    for (const mirror of [this.ends, this.tones, this.sources, this.lives]) mirror.send();
    this.use(this.synapse, camera, view);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.activity.texture);
    gl.bindVertexArray(this.synapseArray);
    gl.drawArrays(gl.LINES, 2 * first, 2 * count);
  }

  // Neurons at rest, some of them; they change little, so they are drawn with the synapses.
  drawResting(camera, view, first, count) {
    const { gl } = this;
    for (const mirror of [this.positions, this.colours, this.alive]) mirror.send();
    this.use(this.neuron, camera, { ...view, resting: 1 });
    this.all.draw(gl.POINTS, first, count);
  }

  drawLights(camera, view) {
    const { gl } = this;
    for (const mirror of [this.positions, this.colours, this.acts, this.alive, this.flights]) mirror.send();
    this.use(this.mark, camera, { ...view, lines: 1 });
    gl.bindVertexArray(this.linkArray);
    gl.drawArrays(gl.LINES, 0, this.links.array.length / 6);
    this.use(this.pulse, camera, view);
    gl.bindVertexArray(this.flightArray);
    gl.drawArrays(gl.POINTS, 0, PULSES);
    this.use(this.neuron, camera, { ...view, resting: 0 });
    this.active.draw(gl.POINTS, 0, this.active.count);
    this.use(this.mark, camera, { ...view, lines: 0 });
    gl.bindVertexArray(this.markArray);
    gl.drawArrays(gl.POINTS, 0, this.marks.array.length / 6);
  }
}
