// A camera that orbits a point, smoothly, and tells where things are on the screen.

const TILT = 1.5;

export class Camera {
  constructor(canvas) {
    this.canvas = canvas;
    this.want = { yaw: 0.6, pitch: 0.28, distance: 900, x: 0, y: 0, z: 0 };
    this.now = { ...this.want };
    this.matrix = new Float32Array(16);
    this.orbiting = false;
    this.turned = 0;
    this.moved = true;
    this.field = 0.78;
    this.offset = [0, 0]; // where the middle is, of half the screen: panels cover some of it
    this.listen();
  }

  listen() {
    const { canvas } = this;
    const fingers = new Map();
    canvas.addEventListener("pointerdown", (e) => {
      canvas.setPointerCapture(e.pointerId);
      fingers.set(e.pointerId, e);
      this.dragged = 0;
      canvas.classList.add("dragging");
    });
    const lift = (e) => { fingers.delete(e.pointerId); canvas.classList.remove("dragging"); };
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);
    canvas.addEventListener("pointermove", (e) => {
      const before = fingers.get(e.pointerId);
      if (!before) return;
      const dx = e.clientX - before.clientX, dy = e.clientY - before.clientY;
      if (fingers.size === 2) {
        const other = [...fingers.entries()].find(([id]) => id !== e.pointerId)[1];
        const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
        this.want.distance *= apart(before) / Math.max(apart(e), 1);
      } else if (e.shiftKey || before.buttons & 6) this.pan(dx, dy);
      else {
        this.want.yaw -= dx * 0.006;
        this.want.pitch = Math.max(-TILT, Math.min(TILT, this.want.pitch + dy * 0.006));
      }
      this.dragged += Math.abs(dx) + Math.abs(dy);
      if (this.dragged > 6) this.orbiting = false;
      fingers.set(e.pointerId, e);
    });
    canvas.addEventListener("wheel", (e) => {
      e.preventDefault();
      this.want.distance *= Math.exp(Math.max(-60, Math.min(60, e.deltaY)) * 0.003);
    }, { passive: false });
    canvas.addEventListener("contextmenu", (e) => e.preventDefault());
  }

  pan(dx, dy) {
    const { yaw, pitch, distance } = this.now, scale = (2 * distance * Math.tan(this.field / 2)) / this.canvas.clientHeight;
    const right = [Math.cos(yaw), 0, -Math.sin(yaw)];
    const up = [-Math.sin(yaw) * Math.sin(pitch), Math.cos(pitch), -Math.cos(yaw) * Math.sin(pitch)];
    ["x", "y", "z"].forEach((axis, k) => { this.want[axis] += scale * (dy * up[k] - dx * right[k]); });
  }

  fit(positions, alive, still) {
    const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
    for (let i = 0; i < alive.length; i++) {
      if (!alive[i]) continue;
      for (let k = 0; k < 3; k++) {
        low[k] = Math.min(low[k], positions[3 * i + k]);
        high[k] = Math.max(high[k], positions[3 * i + k]);
      }
    }
    if (low[0] > high[0]) return;
    const middle = low.map((v, k) => (v + high[k]) / 2);
    const radius = Math.max(0.5 * Math.hypot(...low.map((v, k) => high[k] - v)), 30);
    this.radius = radius;
    const free = 1 - Math.abs(this.offset[1]), wide = (1 - Math.abs(this.offset[0])) * (this.canvas.clientWidth / this.canvas.clientHeight);
    const distance = (0.86 * radius) / Math.tan(this.field / 2) / Math.min(free, wide);
    Object.assign(this.want, { x: middle[0], y: middle[1], z: middle[2], distance });
    this.flat = high[2] - low[2] < 0.1 * radius;
    if (still) { this.want.yaw = this.flat ? -0.1 : 0.6; this.want.pitch = this.flat ? -0.5 : 0.28; Object.assign(this.now, this.want); }
  }

  centre(point) { [this.want.x, this.want.y, this.want.z] = point; this.want.distance *= 0.7; }

  update(seconds) {
    this.turned += Math.min(seconds, 0.1);
    const swing = this.flat ? Math.cos(0.4 * this.turned) : 1; // a sheet is never seen from its edge
    if (this.orbiting) this.want.yaw += 0.13 * swing * Math.min(seconds, 0.1);
    const share = 1 - Math.exp(-seconds * 11);
    let most = 0;
    for (const key of Object.keys(this.want)) {
      const step = (this.want[key] - this.now[key]) * share;
      const size = Math.abs(step) / (key === "yaw" || key === "pitch" ? 1 : this.now.distance);
      this.now[key] = size < 2e-5 ? this.want[key] : this.now[key] + step;
      most = Math.max(most, size);
    }
    this.moved = most >= 2e-5 || this.resized;
    this.resized = false;
    this.compute();
  }

  compute() {
    const { yaw, pitch, distance, x, y, z } = this.now;
    const cy = Math.cos(yaw), sy = Math.sin(yaw), cp = Math.cos(pitch), sp = Math.sin(pitch);
    const right = [cy, 0, -sy], up = [-sy * sp, cp, -cy * sp], back = [sy * cp, sp, cy * cp];
    const eye = [x + back[0] * distance, y + back[1] * distance, z + back[2] * distance];
    const f = 1 / Math.tan(this.field / 2), aspect = this.canvas.clientWidth / Math.max(this.canvas.clientHeight, 1);
    const near = distance * 0.01, far = distance * 20, a = (far + near) / (near - far), b = (2 * far * near) / (near - far);
    const dot = (v) => -(v[0] * eye[0] + v[1] * eye[1] + v[2] * eye[2]);
    const rows = [[...right, dot(right)], [...up, dot(up)], [...back, dot(back)]];
    for (let c = 0; c < 4; c++) {
      this.matrix[4 * c] = (f / aspect) * rows[0][c];
      this.matrix[4 * c + 1] = f * rows[1][c];
      this.matrix[4 * c + 2] = a * rows[2][c] + (c === 3 ? b : 0);
      this.matrix[4 * c + 3] = -rows[2][c];
      this.matrix[4 * c] -= this.offset[0] * rows[2][c];
      this.matrix[4 * c + 1] -= this.offset[1] * rows[2][c];
    }
  }

  // Index of the living neuron nearest to a point of the screen, -1 where none is near.
  pick(px, py, positions, alive) {
    const m = this.matrix, w = this.canvas.clientWidth, h = this.canvas.clientHeight;
    let best = -1, least = 14 * 14;
    for (let i = 0; i < alive.length; i++) {
      if (!alive[i]) continue;
      const x = positions[3 * i], y = positions[3 * i + 1], z = positions[3 * i + 2];
      const depth = m[3] * x + m[7] * y + m[11] * z + m[15];
      if (depth <= 0) continue;
      const dx = ((m[0] * x + m[4] * y + m[8] * z + m[12]) / depth * 0.5 + 0.5) * w - px;
      const dy = (0.5 - (m[1] * x + m[5] * y + m[9] * z + m[13]) / depth * 0.5) * h - py;
      const away = (dx * dx + dy * dy) * (0.6 + 0.4 * depth / this.now.distance);
      if (away < least) { least = away; best = i; }
    }
    return best;
  }

  // Where a point is on the screen (px from the left top).
  screen(p) {
    const m = this.matrix, depth = m[3] * p[0] + m[7] * p[1] + m[11] * p[2] + m[15];
    return [((m[0] * p[0] + m[4] * p[1] + m[8] * p[2] + m[12]) / depth * 0.5 + 0.5) * this.canvas.clientWidth,
      (0.5 - (m[1] * p[0] + m[5] * p[1] + m[9] * p[2] + m[13]) / depth * 0.5) * this.canvas.clientHeight];
  }
}
