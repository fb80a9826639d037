// Plays two stems as one, sample by sample in step. The samples come in segments of a few seconds, which are
// scheduled one after the other on one clock; each stem goes through a gain of its own. Switching what is heard
// and moving a slider only change gains, so the place is never lost.

const SEGMENT_S = 5; // of samples in one request
const AHEAD_S = 8; // scheduled before they are due
const KEPT = 8; // segments in memory
const GLIDE_S = 0.015; // time constant of a gain's change: no click, no wait
const SOURCES = { song: [1, 1], vocals: [1, 0], accompaniment: [0, 1], mix: null };

const players = new WeakMap();

export default function (component) {
  const { parentElement, data } = component;
  const root = parentElement.querySelector(".player");
  let player = players.get(root);
  if (player && player.samplesPath !== data.samplesPath) {
    player.close();
    player = null;
  }
  if (!player) {
    player = new Player(root, data);
    players.set(root, player);
  }
  return () => {
    player.close();
    players.delete(root);
  };
}

class Player {
  constructor(root, data) {
    Object.assign(this, { root }, data);
    this.seconds = data.samples / data.rate;
    this.position = 0; // where it stands, or stood when it began to play
    this.source = "song";
    this.levels = { vocals: 0, accompaniment: 0 };
    this.segments = new Map(); // index -> promise of {vocals, accompaniment}: AudioBuffer
    this.scheduled = [];
    this.listeners = new AbortController();
    this.bind();
    this.choose("song");
    this.show("paused");
    this.draw();
  }

  // What the visitor does

  bind() {
    const on = (element, event, action) =>
      element.addEventListener(event, action, { signal: this.listeners.signal });
    const find = (selector) => this.root.querySelector(selector);
    this.canvas = find("canvas");
    this.seekBar = find(".seek");
    this.clock = find(".clock");
    this.trouble = find(".trouble");
    this.playButton = find(".play");
    this.seekBar.max = this.seconds;
    on(this.playButton, "click", () => this.toggle());
    on(this.seekBar, "input", () => this.seek(Number(this.seekBar.value)));
    for (const button of this.root.querySelectorAll("[data-source]"))
      on(button, "click", () => {
        this.choose(button.dataset.source);
        if (this.state === "paused") this.play();
      });
    this.sliders = [...this.root.querySelectorAll("[data-stem]")];
    for (const slider of this.sliders) {
      slider.min = this.silenceDb;
      slider.max = this.loudestDb;
      slider.value = this.levels[slider.dataset.stem];
      on(slider, "input", () => this.turn(slider.dataset.stem, Number(slider.value)));
      on(slider, "dblclick", () => this.resetDesk());
    }
    this.labelSliders();
    this.format = find(".format");
    this.format.replaceChildren(...this.formats.map(({ name, suffix }) => new Option(name, suffix)));
    on(this.format, "change", () => this.linkFiles());
    this.linkFiles();
    on(this.root, "keydown", (event) => this.key(event));
    this.resizes = new ResizeObserver(() => this.draw());
    this.resizes.observe(this.canvas);
  }

  key(event) {
    if (event.target.tagName === "SELECT") return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const onSlider = "stem" in event.target.dataset;
    const onButton = ["BUTTON", "A", "SELECT"].includes(event.target.tagName);
    const source = Object.keys(SOURCES)[Number(event.key) - 1];
    if (event.key === " " && !onButton) this.toggle();
    else if (source) this.choose(source);
    else if (event.key === "0") this.resetDesk();
    else if (event.key === "ArrowLeft" && !onSlider) this.seek(this.now() - 5);
    else if (event.key === "ArrowRight" && !onSlider) this.seek(this.now() + 5);
    else return;
    event.preventDefault();
  }

  toggle() {
    if (this.state === "paused") this.play();
    else this.pause();
  }

  choose(source) {
    this.source = source;
    for (const button of this.root.querySelectorAll("[data-source]")) {
      const chosen = button.dataset.source === source;
      button.setAttribute("aria-checked", chosen);
    }
    this.root.dataset.source = source;
    this.applyGains();
    this.draw();
  }

  turn(stem, level) {
    this.levels[stem] = level;
    this.labelSliders();
    if (this.source !== "mix") this.choose("mix");
    this.applyGains();
  }

  resetDesk() {
    for (const slider of this.sliders) {
      slider.value = 0;
      this.turn(slider.dataset.stem, 0);
    }
  }

  labelSliders() {
    for (const slider of this.sliders) {
      const level = Number(slider.value);
      const text = level <= this.silenceDb ? "off" : `${level > 0 ? "+" : ""}${level.toFixed(1)} dB`;
      slider.parentElement.querySelector("output").value = text;
      slider.setAttribute("aria-valuetext", text);
      const share = (level - this.silenceDb) / (this.loudestDb - this.silenceDb);
      slider.style.setProperty("--filled", `${100 * share}%`);
    }
    this.linkFiles();
  }

  linkFiles() {
    if (!this.format) return;
    const suffix = this.format.value;
    for (const link of this.root.querySelectorAll("[data-part]")) {
      const path = this.filesPath.replace("PART", link.dataset.part).replace("SUFFIX", suffix);
      link.href = link.dataset.part === "mix" ? `${path}?${new URLSearchParams(this.levels)}` : path;
    }
    this.root.querySelector(".about").textContent =
      this.formats.find((format) => format.suffix === suffix).about;
  }

  // Sound

  prepare() {
    if (this.context) return;
    // The context runs at the song's rate: the browser resamples its output as one stream, without joints.
    this.context = new AudioContext({ sampleRate: this.rate, latencyHint: "playback" });
    this.gains = { vocals: this.context.createGain(), accompaniment: this.context.createGain() };
    const sum = this.context.createGain();
    sum.gain.value = this.scale;
    this.meter = this.context.createAnalyser();
    for (const gain of Object.values(this.gains)) gain.connect(sum);
    sum.connect(this.meter).connect(this.context.destination);
    this.applyGains();
  }

  applyGains() {
    if (!this.context) return;
    const factor = (level) => (level <= this.silenceDb ? 0 : 10 ** (level / 20));
    const [vocals, accompaniment] =
      SOURCES[this.source] ?? [factor(this.levels.vocals), factor(this.levels.accompaniment)];
    const now = this.context.currentTime;
    this.gains.vocals.gain.setTargetAtTime(vocals, now, GLIDE_S);
    this.gains.accompaniment.gain.setTargetAtTime(accompaniment, now, GLIDE_S);
  }

  async play() {
    this.prepare();
    if (this.position >= this.seconds - 0.05) this.position = 0;
    this.show("loading");
    const turn = (this.turnNumber = (this.turnNumber ?? 0) + 1);
    try {
      await this.context.resume();
      await this.segment(this.indexAt(this.position));
    } catch (error) {
      this.fail(error);
      return;
    }
    if (turn !== this.turnNumber) return; // paused or moved meanwhile
    // Whole samples from here on, so that each segment begins exactly where the one before it ends.
    this.beginFrame = Math.ceil((this.context.currentTime + 0.05) * this.rate);
    this.beginSample = Math.round(this.position * this.rate);
    this.nextIndex = this.indexAt(this.position);
    this.show("playing");
    this.fill(turn);
    this.tick(turn);
  }

  async fill(turn) {
    while (turn === this.turnNumber && this.nextIndex * this.segmentLength < this.samples) {
      const index = this.nextIndex++;
      let buffers;
      try {
        buffers = await this.segment(index);
      } catch (error) {
        if (turn === this.turnNumber) this.fail(error);
        return;
      }
      if (turn !== this.turnNumber) return;
      this.schedule(index, buffers);
      const end = Math.min((index + 1) * this.segmentLength, this.samples) / this.rate;
      const wait = end - this.now() - AHEAD_S;
      if (wait > 0) await new Promise((done) => setTimeout(done, 1000 * wait));
    }
  }

  schedule(index, buffers) {
    const first = index * this.segmentLength;
    const skip = Math.max(0, this.beginSample - first);
    const due = this.beginFrame + first + skip - this.beginSample;
    // A segment that comes too late is entered where the clock stands, so that time goes on as it should.
    const late = Math.max(0, Math.ceil(this.context.currentTime * this.rate) - due);
    for (const stem of ["vocals", "accompaniment"]) {
      if (skip + late >= buffers[stem].length) continue;
      const node = this.context.createBufferSource();
      node.buffer = buffers[stem];
      node.connect(this.gains[stem]);
      node.start((due + late) / this.rate, (skip + late) / this.rate);
      node.onended = () => (this.scheduled = this.scheduled.filter((other) => other !== node));
      this.scheduled.push(node);
    }
  }

  pause() {
    this.position = this.now();
    this.turnNumber = (this.turnNumber ?? 0) + 1;
    for (const node of this.scheduled) {
      node.onended = null;
      node.stop();
    }
    this.scheduled = [];
    this.show("paused");
    this.draw();
  }

  seek(seconds) {
    const wasPlaying = this.state !== "paused";
    if (wasPlaying) this.pause();
    this.position = Math.min(Math.max(0, seconds), this.seconds);
    if (wasPlaying) this.play();
    this.draw();
  }

  now() {
    if (this.state !== "playing") return this.position;
    const played = this.context.currentTime - this.beginFrame / this.rate;
    return Math.min(this.seconds, this.beginSample / this.rate + Math.max(0, played));
  }

  get segmentLength() {
    return Math.round(SEGMENT_S * this.rate);
  }

  indexAt(seconds) {
    return Math.floor(Math.round(seconds * this.rate) / this.segmentLength);
  }

  segment(index) {
    if (!this.segments.has(index)) {
      const loading = this.load(index);
      this.segments.set(index, loading);
      loading.catch(() => this.segments.delete(index));
      if (this.segments.size > KEPT) this.segments.delete(this.segments.keys().next().value);
    }
    return this.segments.get(index);
  }

  async load(index) {
    const begin = index * this.segmentLength;
    const count = Math.min(this.segmentLength, this.samples - begin);
    const answer = await fetch(`${this.samplesPath}?begin=${begin}&count=${count}`);
    if (!answer.ok) throw new Error(await answer.text());
    const integers = new Int16Array(await answer.arrayBuffer());
    const buffers = {};
    ["vocals", "accompaniment"].forEach((stem, place) => {
      const buffer = this.context.createBuffer(this.channels, count, this.rate);
      for (let channel = 0; channel < this.channels; channel++) {
        const plane = buffer.getChannelData(channel);
        const stride = 2 * this.channels;
        let at = place * this.channels + channel;
        for (let i = 0; i < count; i++, at += stride) plane[i] = integers[at] / 32767;
      }
      buffers[stem] = buffer;
    });
    return buffers;
  }

  // What the visitor sees

  show(state) {
    this.state = state;
    this.root.dataset.state = state;
    this.playButton.setAttribute("aria-label", state === "paused" ? "Play" : "Pause");
    if (state !== "paused") this.trouble.hidden = true;
  }

  fail(error) {
    this.pause();
    this.trouble.textContent = `It does not play: ${error.message} Try to separate the song again.`;
    this.trouble.hidden = false;
  }

  tick(turn) {
    if (turn !== this.turnNumber) return;
    this.draw();
    this.measure();
    if (this.now() >= this.seconds) {
      this.pause();
      return;
    }
    requestAnimationFrame(() => this.tick(turn));
  }

  measure() {
    this.window ??= new Float32Array(this.meter.fftSize);
    this.meter.getFloatTimeDomainData(this.window);
    const square = this.window.reduce((sum, sample) => sum + sample * sample, 0) / this.window.length;
    this.root.dataset.levelDb = (10 * Math.log10(square + 1e-12)).toFixed(1);
  }

  draw() {
    const now = this.now();
    const clock = (seconds) => {
      const whole = Math.floor(seconds);
      const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
      const two = (number) => String(number).padStart(2, "0");
      return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
    };
    this.clock.value = `${clock(now)} / ${clock(this.seconds)}`;
    this.seekBar.value = now;
    this.seekBar.setAttribute("aria-valuetext", `${clock(now)} of ${clock(this.seconds)}`);
    this.root.dataset.position = now.toFixed(3);
    this.drawWaves(now / this.seconds);
  }

  drawWaves(share) {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width) return;
    if (this.canvas.width !== Math.round(width * ratio)) this.canvas.width = Math.round(width * ratio);
    if (this.canvas.height !== Math.round(height * ratio)) this.canvas.height = Math.round(height * ratio);
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.root);
    const heard = SOURCES[this.source] ?? [this.levels.vocals > this.silenceDb, this.levels.accompaniment > this.silenceDb];
    const layers = [
      ["accompaniment", heard[1]],
      ["vocals", heard[0]],
    ];
    for (const [stem, isHeard] of layers) {
      const wave = this.waves[stem];
      pen.fillStyle = style.getPropertyValue(`--${stem}`);
      const step = width / wave.length;
      wave.forEach((percent, i) => {
        const half = Math.max(0.5, (percent / 100) * (height / 2 - 2));
        const opacity = (isHeard ? 0.85 : 0.15) * (i / wave.length < share ? 1 : 0.6);
        pen.globalAlpha = opacity;
        pen.fillRect(i * step, height / 2 - half, Math.max(0.75, step - 0.25), 2 * half);
      });
    }
    pen.globalAlpha = 1;
    pen.fillStyle = style.getPropertyValue("color");
    pen.fillRect(Math.min(width - 2, share * width), 0, 2, height);
  }

  close() {
    this.pause();
    this.listeners.abort();
    this.resizes.disconnect();
    this.context?.close();
    this.context = null;
    this.segments.clear();
  }
}
