// The picture of a lane: time runs to the left, the upper edge is the server, the lower edge is this page.
//
//   ledger.arrivals -> a line from where an update was due (above) to where it came (below), drawn once into a ring of pixels
//   ledger.known    -> marks on the upper edge: due, seen by another lane, and not here yet
//   lane.states     -> shaded where the lane had no connection
//
// Nothing moves but time. A line is drawn when its update has come, from the two times that were measured; so a frame costs what came since
// the last one, whatever the rate. Where lines are closer than pixels they run together to a surface.

import { GOAL, LATE } from "./ledger.js";

const PX_PER_S = { wide: 90, narrow: 60 };
/** Columns cleared ahead of now, and not shown: the estimate of the server's clock may be off by as much, and half a dot lies in them. */
const AHEAD = 14;
/** Nearer to each other than so many pixels, those awaited are a bar without rings. */
const RINGS_PX = 4;
/** Updates whose due times tell how dense the feed is. */
const NEAR = 64;

export class Picture {
  #context;
  #buffer = document.createElement("canvas");
  #ring = this.#buffer.getContext("2d");
  #colours = {};
  #fresh = true;
  #drawn = 0;
  #exposed = 0;
  #shaded = 0;

  constructor(canvas, lane) {
    Object.assign(this, { canvas, lane });
    this.#context = canvas.getContext("2d");
  }

  /** After another size, other colours, or a pause: all that is remembered is drawn anew. */
  renew() {
    const { canvas } = this;
    const scale = Math.min(devicePixelRatio || 1, 2);
    const [width, height] = [Math.max(1, Math.round(canvas.clientWidth * scale)), Math.max(1, Math.round(canvas.clientHeight * scale))];
    for (const each of [canvas, this.#buffer]) if (each.width !== width || each.height !== height) [each.width, each.height] = [width, height];
    const style = getComputedStyle(canvas);
    for (const name of ["own", "ink", "quiet", "line", "sunken", "page"]) this.#colours[name] = style.getPropertyValue(`--${name}`);
    this.scale = scale;
    this.px_per_us = ((canvas.clientWidth > 640 ? PX_PER_S.wide : PX_PER_S.narrow) * scale) / 1e6;
    [this.top, this.bottom] = [9 * scale, height - 9 * scale];
    this.#fresh = true;
  }

  /** How many seconds the width shows. */
  get span_s() {
    return this.canvas.width / this.px_per_us / 1e6;
  }

  draw(now_us, freshness) {
    const { width, height } = this.canvas;
    const { ledger } = this.lane;
    const x = this.#x(now_us);
    if (this.#ledger !== ledger || this.#fresh || x - this.#exposed >= width) this.#restart(ledger, x, width, height);
    this.#expose(x + AHEAD, width, height);
    this.#shade(x, width);
    this.#lines(ledger, x, width);
    const context = this.#context;
    context.clearRect(0, 0, width, height);
    this.#edges(context, now_us, x, width, height);
    let to = AHEAD;
    for (const [at, wide] of pieces(x - width + 1 + AHEAD, x, width)) {
      context.drawImage(this.#buffer, at, 0, wide, height, to, 0, wide, height);
      to += wide;
    }
    if (freshness.behind) this.#awaited(context, ledger.known, freshness, x, width);
  }

  #ledger = null;

  #x(us) {
    return Math.floor((us - this.lane.race.start_us) * this.px_per_us);
  }

  #restart(ledger, x, width, height) {
    this.#ring.clearRect(0, 0, width, height);
    this.#ledger = ledger;
    this.#fresh = false;
    this.#drawn = ledger.arrivals.first;
    this.#exposed = x + AHEAD;
    this.#shaded = x + AHEAD - width;
  }

  /** Clears the columns that time is about to reach. */
  #expose(to, width, height) {
    for (const [at, wide] of pieces(Math.max(this.#exposed, to - width) + 1, to, width)) this.#ring.clearRect(at, 0, wide, height);
    this.#exposed = Math.max(this.#exposed, to);
  }

  /** Shades the columns that time has reached, where the lane had no connection. */
  #shade(to, width) {
    const { states } = this.lane;
    const ring = this.#ring;
    ring.globalAlpha = 0.16;
    ring.fillStyle = this.#colours.ink;
    // From the newest back to what is shaded already.
    for (let [k, end] = [states.count - 1, to]; k >= states.first && end > this.#shaded; k--) {
      const from = this.#x(states.ats[k % states.size]);
      if (!states.lives[k % states.size])
        for (const [at, wide] of pieces(Math.max(from, this.#shaded + 1), end, width)) ring.fillRect(at, this.top, wide, this.bottom - this.top);
      end = Math.min(end, from - 1);
    }
    ring.globalAlpha = 1;
    this.#shaded = Math.max(this.#shaded, to);
  }

  #lines(ledger, x, width) {
    const { arrivals } = ledger;
    const [own, quiet] = [this.#colours.own, this.#colours.quiet];
    const near = this.#spacing(arrivals);
    const kinds = [0, LATE, GOAL, LATE | GOAL];
    const [paths, dots] = [kinds.map(() => new Path2D()), kinds.map(() => new Path2D())];
    const radius = (kind) => (kind & GOAL ? (near > 2 ? 5.5 : 2.5) : near > 4 ? 2.4 : 1) * this.scale;
    const left = x - width + AHEAD + 1;
    for (let k = Math.max(this.#drawn, arrivals.first); k < arrivals.count; k++) {
      const at = k % arrivals.size;
      const [due, here, kind] = [this.#x(arrivals.dues[at]), this.#x(arrivals.ats[at]), arrivals.kinds[at]];
      if (here < left) continue;
      // What lies before the left end would come out again on the right.
      const from = Math.max(due, left);
      const high = due < from ? this.top + ((from - due) / (here - due)) * (this.bottom - this.top) : this.top;
      const [page, page_from] = [Math.floor(here / width), Math.floor(from / width)];
      for (let each = page_from; each <= page; each++) {
        const shift = each * width - 0.5;
        paths[kind].moveTo(from - shift, high);
        paths[kind].lineTo(here - shift, this.bottom);
      }
      // Half of a dot before the left end would come out on the right, too.
      if (here - radius(kind) < left) continue;
      // At an end of the ring half of a dot lies at the other.
      for (let each = page - 1; each <= page + 1; each++) {
        const middle = here - each * width + 0.5;
        if (middle < -radius(kind) || middle > width + radius(kind)) continue;
        dots[kind].moveTo(middle + radius(kind), this.bottom);
        dots[kind].arc(middle, this.bottom, radius(kind), 0, 7);
      }
    }
    this.#drawn = arrivals.count;
    const ring = this.#ring;
    for (const kind of kinds) {
      ring.strokeStyle = ring.fillStyle = kind & LATE ? quiet : own;
      ring.globalAlpha = kind & GOAL ? 1 : Math.min(0.85, Math.max(0.3, near / 6));
      ring.lineWidth = (kind & GOAL && near > 2 ? 2.2 : 1.1) * this.scale;
      ring.stroke(paths[kind]);
      ring.globalAlpha = 1;
      ring.fill(dots[kind]);
    }
  }

  /** CSS pixels between updates, by the schedule and not by how they came. */
  #spacing({ dues, count, size }) {
    const many = Math.min(count, NEAR) - 1;
    return many < 1 ? 9 : ((dues[(count - 1) % size] - dues[(count - 1 - many) % size]) * this.px_per_us) / many / this.scale;
  }

  /** The two edges, and a line each second. */
  #edges(context, now_us, x, width, height) {
    context.strokeStyle = this.#colours.line;
    context.lineWidth = this.scale;
    context.beginPath();
    for (const y of [this.top, this.bottom]) {
      context.moveTo(0, y);
      context.lineTo(width, y);
    }
    context.stroke();
    context.globalAlpha = 0.45;
    context.beginPath();
    for (let second = Math.ceil(now_us / 1e6 - this.span_s); second <= now_us / 1e6; second++) {
      const at = width - 1 - (x - this.#x(second * 1e6)) + 0.5;
      context.moveTo(at, this.top);
      context.lineTo(at, this.bottom);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  /** Due, known from another lane, not here yet. */
  #awaited(context, known, { first, behind }, x, width) {
    const place = (k) => Math.max(0, width - 1 - (x - this.#x(known.dues[k % known.size])));
    const start = place(first);
    const rings = (width - start) / behind > RINGS_PX * this.scale;
    context.fillStyle = this.#colours.own;
    context.globalAlpha = rings ? 0.35 : 1;
    context.fillRect(start, this.top - 3 * this.scale, width - start, 6 * this.scale);
    context.globalAlpha = 1;
    context.strokeStyle = this.#colours.ink;
    context.fillStyle = this.#colours.page;
    context.lineWidth = 1.3 * this.scale;
    for (let k = first; rings && k < known.count; k++) {
      context.beginPath();
      context.arc(Math.min(place(k), width - 4 * this.scale), this.top, (known.kinds[k % known.size] === GOAL ? 5 : 2.6) * this.scale, 0, 7);
      context.fill();
      context.stroke();
    }
  }
}

/** The columns `from` to `to` in a ring of `width`, at most once around: [at, wide], none to two of them. */
function pieces(from, to, width) {
  const columns = Math.min(to - from + 1, width);
  if (columns <= 0) return [];
  const at = ((from % width) + width) % width;
  const wide = Math.min(columns, width - at);
  return wide < columns ? [[at, wide], [0, columns - wide]] : [[at, wide]];
}

/** Bars from 0 to 1 of the height, in the colour of their lane. */
export function bars(canvas, parts) {
  const scale = Math.min(devicePixelRatio || 1, 2);
  const [width, height] = [canvas.clientWidth * scale, canvas.clientHeight * scale].map(Math.round);
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  context.fillStyle = getComputedStyle(canvas).getPropertyValue("--own");
  const wide = width / parts.length;
  parts.forEach((part, index) => {
    if (!part) return;
    const [low, high] = part;
    const thick = Math.max(scale, (high - low) * height);
    context.fillRect(index * wide, Math.min(height - thick, (1 - high) * height), Math.max(1, wide - (wide > 4 ? 1 : 0)), thick);
  });
}
