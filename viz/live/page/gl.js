// The little of WebGL that the layers share: programs, buffers, and textures of bytes.

export function program(gl, vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, `#version 300 es\nprecision highp float;\n${source}`);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made));
  const uniforms = {};
  for (let k = 0; k < gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS); k++) {
    const { name } = gl.getActiveUniform(made, k);
    uniforms[name] = gl.getUniformLocation(made, name);
  }
  return { made, uniforms };
}

// A buffer that mirrors a typed array; what has changed in it is sent before it is drawn.
export class Mirror {
  constructor(gl, array) {
    this.gl = gl;
    this.buffer = gl.createBuffer();
    this.replace(array);
  }

  replace(array) {
    this.array = array;
    this.low = Infinity; this.high = -Infinity;
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.buffer);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, array, this.gl.DYNAMIC_DRAW);
  }

  touch(from, to) { this.low = Math.min(this.low, from); this.high = Math.max(this.high, to); }

  send() {
    if (this.low >= this.high) return;
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.buffer);
    this.gl.bufferSubData(this.gl.ARRAY_BUFFER, this.low * this.array.BYTES_PER_ELEMENT, this.array, this.low, this.high - this.low);
    this.low = Infinity; this.high = -Infinity;
  }
}

// attributes: [mirror, place, numbers, normalised, stride, offset] each
export function vertices(gl, attributes) {
  const made = gl.createVertexArray();
  gl.bindVertexArray(made);
  for (const [mirror, place, numbers, normalised = false, stride = 0, offset = 0] of attributes) {
    gl.bindBuffer(gl.ARRAY_BUFFER, mirror.buffer);
    gl.enableVertexAttribArray(place);
    const kind = mirror.array instanceof Float32Array ? gl.FLOAT : mirror.array instanceof Uint8Array ? gl.UNSIGNED_BYTE : gl.UNSIGNED_INT;
    if (kind === gl.UNSIGNED_INT) gl.vertexAttribIPointer(place, numbers, kind, stride, offset);
    else gl.vertexAttribPointer(place, numbers, kind, normalised, stride, offset);
  }
  gl.bindVertexArray(null);
  return made;
}

// A list of vertices to draw, in an array of vertices of its own.
export class Choice {
  constructor(gl, attributes, numbers) {
    Object.assign(this, { gl, count: numbers.length, array: vertices(gl, attributes), buffer: gl.createBuffer() });
    this.choose(numbers, numbers.length);
  }

  choose(numbers, count) {
    const { gl } = this;
    this.count = count;
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffer);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, numbers.subarray(0, count), gl.DYNAMIC_DRAW);
    gl.bindVertexArray(null);
  }

  draw(kind, first, count) {
    const { gl } = this;
    gl.bindVertexArray(this.array);
    gl.drawElements(kind, Math.min(count, this.count - first), gl.UNSIGNED_INT, 4 * first);
  }
}

export const TEXTURE_WIDTH = 2048;

// One byte for each neuron, as shaders of synapses read it.
export class ByteTexture {
  constructor(gl) {
    this.gl = gl;
    this.texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
    this.rows = 0;
  }

  send(bytes) {
    const { gl } = this, rows = Math.max(1, Math.ceil(bytes.length / TEXTURE_WIDTH));
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    if (rows !== this.rows) {
      this.rows = rows;
      this.padded = new Uint8Array(rows * TEXTURE_WIDTH);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, TEXTURE_WIDTH, rows, 0, gl.RED, gl.UNSIGNED_BYTE, null);
    }
    this.padded.set(bytes);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, TEXTURE_WIDTH, rows, gl.RED, gl.UNSIGNED_BYTE, this.padded);
  }
}
