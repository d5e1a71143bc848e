// Colours: scales that grow in lightness and are told apart by everybody, and the ways neurons and synapses can have them.

const SCALES = {
  // dark blue to yellow; from blue over grey to orange for what has a sign
  rising: ["#16285c", "#27508f", "#3f7fa6", "#6fa894", "#b9c16a", "#ffe27a"],
  signed: ["#5ab4ff", "#3d74b8", "#3a4356", "#b86a35", "#ffa14f"],
  young: ["#e9ffb0", "#8fe388", "#3fa98c", "#2a6a86", "#243f63"],
};
export const CATEGORIES = ["#7cc4ff", "#ffb36b", "#7fe0b0", "#f48fb1", "#c9b6ff", "#ffe27a", "#8ad7e8", "#ff9a8a",
  "#b7d98a", "#d5a6e6"];

export function rgb(hex) {
  return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
}

const tables = Object.fromEntries(Object.entries(SCALES).map(([name, stops]) => {
  const parts = stops.map(rgb);
  const table = new Uint8Array(3 * 256);
  for (let k = 0; k < 256; k++) {
    const at = (k / 255) * (parts.length - 1), lo = Math.min(Math.floor(at), parts.length - 2);
    for (let c = 0; c < 3; c++) table[3 * k + c] = parts[lo][c] + (at - lo) * (parts[lo + 1][c] - parts[lo][c]);
  }
  return [name, table];
}));

export function paint(out, at, scale, share) {
  const k = 3 * Math.max(0, Math.min(255, Math.round(255 * share)));
  const table = tables[scale];
  out[at] = table[k]; out[at + 1] = table[k + 1]; out[at + 2] = table[k + 2];
}

export const NEURON_MODES = ["population", "rate", "module"];
export const SYNAPSE_MODES = ["source", "weight", "delay", "age", "projection"];

export function drawScale(canvas, scale, low, high) {
  const width = canvas.width = canvas.clientWidth * devicePixelRatio, height = canvas.height = 26 * devicePixelRatio;
  const context = canvas.getContext("2d");
  const table = tables[scale];
  for (let x = 0; x < width; x++) {
    const k = 3 * Math.round((255 * x) / width);
    context.fillStyle = `rgb(${table[k]},${table[k + 1]},${table[k + 2]})`;
    context.fillRect(x, 0, 1, 6 * devicePixelRatio);
  }
  context.fillStyle = "#93a3b8";
  context.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  context.textBaseline = "bottom";
  context.fillText(low, 0, height);
  context.textAlign = "right";
  context.fillText(high, width, height);
}

export function short(value, unit = "") {
  const size = Math.abs(value);
  const text = size === 0 ? "0" : size >= 1e6 ? `${+(value / 1e6).toPrecision(3)} M`
    : size >= 1e4 ? Math.round(value).toLocaleString("en").replaceAll(",", "\u202f")
    : size < 1e-3 ? value.toExponential(1) : `${+value.toPrecision(3)}`;
  return unit ? `${text} ${unit}` : text;
}

export function timeText(ms) {
  if (ms < 1000) return [ms.toFixed(1), "ms"];
  if (ms < 600e3) return [(ms / 1000).toFixed(3), "s"];
  return [(ms / 60e3).toFixed(2), "min"];
}
