// The page: takes in what the server sends, keeps the time that is shown, draws, and listens to whoever looks.

import { Camera } from "./camera.js";
import { Layers } from "./layers.js";
import { Link } from "./link.js";
import { Neuron } from "./neuron.js";
import { Panel } from "./panel.js";
import { Strips } from "./strips.js";
import { World } from "./world.js";

const canvas = document.getElementById("world");
const gl = canvas.getContext("webgl2", { antialias: false, alpha: false, powerPreference: "high-performance", preserveDrawingBuffer: true });
if (!gl) document.getElementById("caption").textContent = "This browser has no WebGL 2, which the network is drawn with.";

const described = gl.getExtension("WEBGL_debug_renderer_info");
const software = /swiftshader|llvmpipe|software|basic render/i.test(described ? gl.getParameter(described.UNMASKED_RENDERER_WEBGL) : "");
document.body.classList.toggle("software", software);
const layers = new Layers(gl), camera = new Camera(canvas), world = new World(layers), strips = new Strips();
world.mostLit = software ? 6000 : 50000;
const waiting = [];                       // messages that are not drawn yet
const clock = { shown: 0, target: 0, interval: 0.04, arrived: 0, rate: 1 };
const counts = { frames: 0, scenes: 0, drawn: 0, fps: 0, lost: 0, version: -1 }; // for tests, and for who is curious
let stale = true, seen = false, before = performance.now(), resolution = Math.min(devicePixelRatio, 2);
let marks = [], links = [];

const link = new Link({
  onBinary: (message) => waiting.push(message),
  onState: (state) => panel.setState(state),
  onError: (text) => panel.complain(text),
  onStatus: (status) => { if (status === "lost") { counts.lost++; waiting.length = 0; } panel.showStatus(status === "lost"); },
});
const hooks = {
  redraw: () => { stale = true; },
  complain: (text, bad) => panel.complain(text, bad),
  mark: (places, lines) => { marks = places; links = lines; upload(); },
  extent: () => (camera.radius || 100),
  recorded: () => panel.state.mode === "replay",
};
const panel = new Panel(link, world, hooks), neuron = new Neuron(link, world, hooks);

// -- what comes ------------------------------------------------------------------------------------------------

function take(message, now) {
  if (message.kind === "scene") {
    const known = counts.version >= 0 && world.n > 0;
    frameFree();
    world.begin(message, now);
    counts.scenes++; counts.version = message.version;
    camera.fit(world.position, world.alive.subarray(0, world.n), !known);
    if (known) Object.assign(camera.want, { yaw: camera.now.yaw, pitch: camera.now.pitch });
    if (!known || message.time < clock.target || panel.state.mode === "replay") strips.clear(); // a leap in time
    clock.shown = clock.target = message.time;
    if (!seen) { seen = true; camera.orbiting = true; }
    panel.scene();
    neuron.marks();
  } else if (message.version === world.version) {
    world.apply(message, now);
    const seconds = Math.min(Math.max(now - clock.arrived, 0.005), 0.5);
    clock.arrived = now;
    clock.interval += 0.2 * (seconds - clock.interval);
    clock.shown = Math.max(clock.shown, message.before - 0.5 * (message.time - message.before));
    clock.target = message.time;
    clock.rate = (clock.target - clock.shown) / clock.interval;
    counts.frames++;
    const pace = panel.state.speed || (message.time - message.before) / 1000 / clock.interval;
    strips.add(message, world, Math.max(50, 9000 * pace));
    neuron.frame(message);
    document.getElementById("caption").textContent = message.caption || "";
  }
  stale = true;
}

function upload() {
  const p = world.position, flat = [];
  marks.forEach((i) => flat.push(p[3 * i], p[3 * i + 1], p[3 * i + 2], 1, 0.86, 0.6));
  layers.marks.replace(new Float32Array(flat));
  const lines = [];
  for (const [a, b, colour] of links) for (const i of [a, b]) lines.push(p[3 * i], p[3 * i + 1], p[3 * i + 2], ...colour.map((c) => c * (i === a ? 0.75 : 0.4)));
  layers.links.replace(new Float32Array(lines));
  stale = true;
}

// -- drawing -----------------------------------------------------------------------------------------------------

const canvases = [0, 1].map(() => ({ frame: gl.createFramebuffer(), texture: gl.createTexture() })); // of synapses: shown, next
const MANY = 6; // neurons at rest that cost as much as a synapse
const lines = { width: 0, height: 0, most: software ? 4000 : 1e9, next: 0, done: -1 };

function frameFree() {
  const side = document.getElementById("side"), foot = document.getElementById("foot"), bare = document.body.classList.contains("bare");
  camera.offset = bare ? [0, 0] : [-side.offsetWidth / canvas.clientWidth, (foot.offsetHeight + 14) / canvas.clientHeight];
}

function sized() {
  const width = Math.round(canvas.clientWidth * resolution), height = Math.round(canvas.clientHeight * resolution);
  if (canvas.width === width && canvas.height === height) return;
  Object.assign(canvas, { width, height });
  frameFree();
  Object.assign(lines, software ? { width: width >> 1, height: height >> 1 } : { width, height });
  for (const { frame, texture } of canvases) {
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, lines.width, lines.height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.LINEAR);
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  }
  camera.resized = true;
}

// Synapses cost most. As many are drawn in one turn as the machine can; while the camera moves no others, while it
// stands still the rest follows in the next turns, on a second canvas that is shown when it is done.
function drawLines(now, view) {
  const moving = camera.moved, slots = world.slots, cells = world.capacity;
  if (!moving && lines.next === 0 && now - lines.done < 0.05) return;
  if (moving) lines.next = 0;
  gl.bindFramebuffer(gl.FRAMEBUFFER, canvases[moving ? 0 : 1].frame);
  gl.viewport(0, 0, lines.width, lines.height);
  if (lines.next === 0) { gl.clearColor(0.020, 0.032, 0.060, 1); gl.clear(gl.COLOR_BUFFER_BIT); }
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_COLOR);
  if (!world.n) return;
  view = { ...view, pixels: (view.pixels * lines.height) / canvas.height };
  let left = lines.most; // in synapses
  if (lines.next < slots) {
    const count = Math.min(left, moving ? slots : slots - lines.next), seen = world.drawn * (moving ? count / slots : 1);
    // As light adds up, each line is the fainter the more of them lie over one another.
    const faint = Math.max(0.012, Math.min(0.26, (2.3 * camera.radius * view.pixels) / camera.now.distance / Math.max(seen, 1)));
    layers.drawSynapses(camera, { ...view, faint }, lines.next, count);
    left -= count;
    if (!moving) lines.next += count;
  }
  if (moving) { layers.drawResting(camera, view, 0, Math.max(MANY * left, MANY * 0.5 * lines.most)); return; }
  if (lines.next < slots || left <= 0) return;
  const first = lines.next - slots, count = Math.ceil(Math.min(MANY * left, cells - first));
  layers.drawResting(camera, view, first, count);
  lines.next += count;
  if (first + count >= cells) { lines.next = 0; lines.done = now; canvases.reverse(); }
}

function draw(now) {
  sized();
  const w = canvas.width, h = canvas.height, size = 0.55 * Math.max(3, camera.radius / Math.cbrt(Math.max(world.n, 8)));
  const view = {
    now, shown: clock.shown - (world.begun || 0), pixels: h / 2 / Math.tan(camera.field / 2), size: 0.55 * size, exposure: world.exposure,
    least: Math.max(0.02, 0.12 * clock.rate),
  };
  drawLines(now, view);
  gl.bindFramebuffer(gl.READ_FRAMEBUFFER, canvases[0].frame);
  gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, null);
  gl.blitFramebuffer(0, 0, lines.width, lines.height, 0, 0, w, h, gl.COLOR_BUFFER_BIT, gl.LINEAR);
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  gl.viewport(0, 0, w, h);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_COLOR);
  if (world.n) layers.drawLights(camera, view);
  counts.drawn++;
}

let slowly = 0, measured = { at: performance.now(), drawn: 0 };

function turn(stamp) {
  const now = stamp / 1000, seconds = Math.min((stamp - before) / 1000, 0.5);
  before = stamp;
  while (waiting.length) { take(waiting.shift(), now); link.shown(); }
  clock.shown = Math.min(clock.target, clock.shown + Math.max(0, clock.rate) * seconds);
  camera.update(seconds);
  if (stale || camera.moved || now - clock.arrived < 1.2) { draw(now); stale = false; }
  panel.showTime(clock.shown);
  slowly += seconds;
  if (slowly > 0.2) { slowly = 0; panel.tick(); neuron.tick(); strips.draw(world); }
  if (stamp - measured.at > 1000) {
    counts.fps = (1000 * (counts.drawn - measured.drawn)) / (stamp - measured.at) || counts.fps;
    measured = { at: stamp, drawn: counts.drawn };
    if (counts.fps < 20) lines.most = Math.max(1000, lines.most > 1e6 ? world.slots || 1e4 : lines.most * 0.75);
    else if (counts.fps > 32) lines.most *= 1.25;
    document.getElementById("orbit").classList.toggle("on", camera.orbiting);
  }
  requestAnimationFrame(turn);
}
requestAnimationFrame(turn);

setInterval(() => neuron.refresh(), 2500);
setInterval(() => { if (["weight", "delay", "age"].includes(world.synapseMode) && world.n) { world.colourSynapses(); panel.scale(); } }, 1500);

// -- who looks ---------------------------------------------------------------------------------------------------

const tip = document.getElementById("tip");
const under = (e) => camera.pick(e.clientX, e.clientY, world.position, world.alive.subarray(0, world.n));
let hovering = 0;
canvas.addEventListener("pointermove", (e) => {
  if (!world.n || performance.now() - hovering < 40 || e.buttons) { if (e.buttons) tip.hidden = true; return; }
  hovering = performance.now();
  const i = under(e);
  canvas.classList.toggle("over", i >= 0);
  tip.hidden = i < 0;
  if (i < 0) return;
  tip.textContent = `${world.populations[world.population[i]].name} ${world.id[i]} · ${world.rate[i].toFixed(1)} Hz`;
  tip.style.left = `${e.clientX}px`; tip.style.top = `${e.clientY}px`;
});
canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
canvas.addEventListener("click", (e) => {
  if (camera.dragged > 6 || !world.n) return;
  const i = under(e);
  if (i >= 0) neuron.pick(world.id[i], e.shiftKey);
  else if (!e.shiftKey) neuron.pick(null);
});
canvas.addEventListener("dblclick", (e) => {
  const i = world.n ? under(e) : -1;
  if (i >= 0) camera.centre(world.position.subarray(3 * i, 3 * i + 3));
});
const fit = () => { camera.fit(world.position, world.alive.subarray(0, world.n), false); hooks.redraw(); };
const orbit = () => { camera.orbiting = !camera.orbiting; document.getElementById("orbit").classList.toggle("on", camera.orbiting); };
const bare = () => { document.body.classList.toggle("bare"); frameFree(); hooks.redraw(); camera.resized = true; };
for (const [id, act] of [["fit", fit], ["orbit", orbit], ["hide", bare]]) document.getElementById(id).onclick = act;
addEventListener("keydown", (e) => {
  if (e.target.matches("input, select, textarea") || e.ctrlKey || e.metaKey) return;
  const act = { " ": () => document.getElementById("play").click(), ".": () => document.getElementById("step").click(), f: fit, o: orbit, h: bare, Escape: () => neuron.pick(null) }[e.key];
  if (act) { e.preventDefault(); act(); }
});
addEventListener("resize", () => { stale = true; });

globalThis.neurosim = { counts, world, camera, clock, neuron, panel, link };
