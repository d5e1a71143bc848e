// Messages of the server: a short JSON head, then plain arrays. The other end is viz/live/wire.py.

const KINDS = { Float32Array, Float64Array, Uint8Array, Uint16Array, Uint32Array };

export function decode(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = 4 + length;
  const arrays = {};
  for (const [name, kind, n] of head.arrays) {
    const array = new KINDS[kind](buffer, at, n);
    const [table, column] = name.split(".");
    if (column === undefined) arrays[table] = array;
    else (arrays[table] ??= {})[column] = array;
    at += Math.ceil(array.byteLength / 8) * 8;
  }
  return { ...head, arrays };
}
