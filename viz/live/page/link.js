// The connection to the server: it comes back by itself, and asks questions that are answered.

import { decode } from "./wire.js";

const FIRST = 250, MOST = 8000; // ms between attempts

export class Link {
  constructor({ onBinary, onState, onStatus, onError }) {
    Object.assign(this, { onBinary, onState, onStatus, onError });
    this.asked = new Map();
    this.number = 0;
    this.wait = FIRST;
    this.open();
  }

  open() {
    const token = new URLSearchParams(location.search).get("token");
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/socket${token ? `?token=${encodeURIComponent(token)}` : ""}`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { this.wait = FIRST; this.onStatus("connected"); };
    socket.onclose = () => {
      for (const { reject } of this.asked.values()) reject(new Error("the connection was lost"));
      this.asked.clear();
      this.onStatus("lost");
      setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(this.wait * 1.7, MOST);
    };
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.onBinary(decode(data));
      else this.hear(JSON.parse(data));
    };
    this.socket = socket;
  }

  hear(said) {
    if (said.state) this.onState(said.state);
    if (said.error && said.re === undefined) this.onError(said.error);
    const question = this.asked.get(said.re);
    if (!question) return;
    this.asked.delete(said.re);
    if (said.error) question.reject(new Error(said.error));
    else question.resolve(said);
  }

  ask(what, more = {}) {
    return new Promise((resolve, reject) => {
      if (this.socket.readyState !== WebSocket.OPEN) { reject(new Error("there is no connection")); return; }
      const re = ++this.number;
      this.asked.set(re, { resolve, reject });
      this.socket.send(JSON.stringify({ do: what, re, ...more }));
    });
  }

  shown() {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send('{"do":"shown"}');
  }
}
