// What is counted of a lane, in memory that does not grow: a histogram in logarithmic buckets, a ring for the picture, a slot per quarter second;
// and what it is counted with.

/** Buckets per doubling: each is 1.75 % wide, and its middle is told, so a quantile is off by 0.9 % at most. */
const PER_OCTAVE = 40;
const OCTAVES = 36; // from 1 µs to 19 hours

export class Histogram {
  #buckets = new Uint32Array(PER_OCTAVE * OCTAVES);
  /** In buckets. */
  count = 0;
  /** Below zero: by the bound of the clock. They stand before all others, and are never made 0. */
  negative = 0;
  /** Never came: they stand at infinity. */
  lost = 0;
  max_us = 0;

  add(us) {
    if (us < 0) return void this.negative++;
    this.#buckets[Math.min(us < 1 ? 0 : Math.floor(Math.log2(us) * PER_OCTAVE), this.#buckets.length - 1)]++;
    this.count++;
    if (us > this.max_us) this.max_us = us;
  }

  /** µs; null where nothing was measured, Infinity where the quantile falls among the lost, -1 where it falls below zero. */
  quantile(share) {
    const all = this.count + this.negative + this.lost;
    if (all === 0) return null;
    let left = Math.max(1, Math.ceil(share * all)) - this.negative;
    if (left <= 0) return -1;
    for (let index = 0; index < this.#buckets.length; index++) {
      left -= this.#buckets[index];
      if (left <= 0) return Math.min(2 ** ((index + 0.5) / PER_OCTAVE), this.max_us);
    }
    return Infinity;
  }

  /** Counts in bars of half a doubling each, from `from_us` to `to_us`; what lies outside stands in the first and last. */
  bars(from_us, to_us) {
    const width = PER_OCTAVE / 2;
    const at = (us) => Math.floor((Math.log2(us) * PER_OCTAVE) / width);
    const [first, last] = [at(from_us), at(to_us)];
    const bars = new Array(last - first + 1).fill(0);
    this.#buckets.forEach((count, index) => {
      if (count) bars[Math.min(Math.max(Math.floor(index / width) - first, 0), last - first)] += count;
    });
    bars[0] += this.negative;
    return bars;
  }
}

/** The newest `size` entries of a few numbers each; entry k is that of the k-th push since the start. */
export class Ring {
  count = 0;
  constructor(size, ...columns) {
    this.size = size;
    for (const column of columns) this[column] = new Float64Array(size);
    this.columns = columns;
  }
  push(...values) {
    const at = this.count++ % this.size;
    for (let index = 0; index < values.length; index++) this[this.columns[index]][at] = values[index];
  }
  get first() {
    return Math.max(0, this.count - this.size);
  }
  clear() {
    this.count = 0;
  }
}

/** This browser's clock, µs: the same for the page and the threads of its lanes, and never set back. */
export const local_us = () => (performance.timeOrigin + performance.now()) * 1_000;

/** Bytes of a text as UTF-8; almost all of them are ASCII, which costs one look. */
export function utf8(text) {
  return /[^\x00-\x7f]/.test(text) ? new TextEncoder().encode(text).length : text.length;
}
