// Keeps account of the updates a lane gets: what came, what is missing, how late it was. The rules are those of `bench-client run`.
//
//   take(at_us, updates) -> per topic: seq -> missed, duplicate, superseded; due -> latency, catch-up, age, stale

import { Histogram, Ring } from "./figures.js";

/** For the picture: 16 s at 1,000 updates/s. */
const SHOWN_MAX = 16_384;
/** For the sparkline: half a minute. */
const SLOTS = 120;
export const SLOT_US = 250_000;
/** Kinds of a mark; those of what was caught up, or was the first state, are LATE besides. */
export const GOAL = 1, LATE = 2;

/** The updates any lane has got, in order of their offset: what the others still wait for. */
export class Known extends Ring {
  epoch = 0;
  offset_max = 0;
  constructor() {
    super(SHOWN_MAX, "offsets", "dues", "kinds");
  }
  clear() {
    super.clear();
    this.offset_max = 0;
  }
  add(update, kind) {
    if (update.epoch !== this.epoch) {
      // An older epoch comes from a lane that has not noticed the restart yet.
      if (update.epoch < this.epoch) return;
      this.clear();
      this.epoch = update.epoch;
    }
    if (update.offset <= this.offset_max) return; // Another lane had it first.
    this.offset_max = update.offset;
    this.push(update.offset, update.due_us, kind);
  }
}

export class Ledger {
  /** Topic -> {epoch, seq, reset}; as many as the feed has topics. */
  #topics = new Map();
  #resets = 0;
  arrivals = new Ring(SHOWN_MAX, "dues", "ats", "kinds");
  newest = null;
  offset = 0;
  epoch = 0;

  constructor(known) {
    this.known = known;
    this.clear(0);
  }

  /** Figures anew from `now_us` on; what is held stays. */
  clear(now_us) {
    Object.assign(this, {
      latency: new Histogram(), caught: new Histogram(), updates: 0, missed: 0, superseded: 0, duplicates: 0, lagged: 0, resets: 0,
      requests: 0, skipped: 0, seen_bytes: 0, messages: 0, since_us: now_us, stale_us: 0, age_us: 0, blind_us: 0,
      slots: new Ring(SLOTS, "numbers", "lows", "highs"),
    });
    // Age and staleness are counted from here on; the time in which nothing was held (`blind_us`) has no age.
    this.covered_us = this.aged_us = now_us;
  }

  /** The server said that updates may be missing before what follows. */
  reset() {
    this.resets++;
    this.#resets++;
  }

  /** `live_us`: what was due before the connection stood is state or catch-up, and no sample of its latency. */
  take(at_us, updates, { live_us, from_nothing, latest }) {
    // It was stale from the first update it lacked on, though that one may be superseded by now and never come.
    const lacked = latest && this.newest && updates.length ? this.#lacking() : null;
    if (lacked !== null && lacked < this.known.count) this.#time(at_us, this.known.dues[lacked % this.known.size]);
    for (const update of updates) this.#one(at_us, update, live_us, from_nothing, latest);
  }

  #one(at_us, update, live_us, from_nothing, latest) {
    const { epoch, seq, due_us } = update;
    let held = this.#topics.get(update.topic);
    let state = false;
    if (!held || held.epoch !== epoch || held.reset !== this.#resets) {
      // The first of a topic, or the newest state after a reset: what lies between is known to be lost, and said apart.
      if (held && held.epoch !== epoch && held.reset === this.#resets) this.reset();
      if (held?.epoch === epoch && seq > held.seq) this.#lag(seq - held.seq - 1, latest);
      // After a reset a topic never seen before begins with its newest state too: those before it were never this lane's to get.
      state = Boolean(held) || from_nothing || this.#resets > 0;
      if (!state && seq > 1) this.#gap(seq - 1, latest);
      const before = held?.epoch === epoch ? held.seq : 0;
      held = { epoch, seq: before, reset: this.#resets };
      this.#topics.set(update.topic, held);
      if (seq <= before) return; // Held already: the newest state says it again.
    } else if (seq <= held.seq) {
      this.duplicates++;
      return;
    } else if (seq > held.seq + 1) this.#gap(seq - held.seq - 1, latest);
    held.seq = seq;

    const goal = update.event.endsWith("goal") ? GOAL : 0;
    const late = state || due_us < live_us ? LATE : 0;
    this.known.add(update, goal);
    this.arrivals.push(due_us, at_us, goal | late);
    this.#time(at_us, due_us);
    this.newest = update;
    this.offset = update.offset;
    this.epoch = epoch;
    this.updates++;
    if (state) return;
    if (late) this.caught.add(at_us - due_us);
    else this.#sample(at_us, at_us - due_us);
  }

  #gap(updates, latest) {
    if (latest) this.superseded += updates;
    else {
      this.missed += updates;
      this.latency.lost += updates;
    }
  }

  /** Lost, and said so by the server: no fault of its count, but they never come all the same. */
  #lag(updates, latest) {
    this.lagged += updates;
    if (!latest) this.latency.lost += updates;
  }

  #sample(at_us, latency_us) {
    this.latency.add(latency_us);
    const { slots } = this;
    const number = Math.floor(at_us / SLOT_US);
    const at = (slots.count - 1 + slots.size) % slots.size;
    if (slots.count === 0 || slots.numbers[at] !== number) slots.push(number, latency_us, latency_us);
    else if (latency_us > slots.highs[at]) slots.highs[at] = latency_us;
    else if (latency_us < slots.lows[at]) slots.lows[at] = latency_us;
  }

  /** Age and staleness as integrals over time, so that no sampling can fall in step with the polls. */
  #time(at_us, due_us) {
    this.#age_to(at_us);
    this.stale_us += Math.max(0, at_us - Math.max(due_us, this.covered_us));
    this.covered_us = Math.max(this.covered_us, at_us);
  }

  #age_to(now_us) {
    [this.age_us, this.blind_us] = this.#ages(now_us);
    this.aged_us = Math.max(now_us, this.aged_us);
  }

  /** [age_us, blind_us] as of then. */
  #ages(now_us) {
    const [from, to] = [this.aged_us, Math.max(now_us, this.aged_us)];
    if (!this.newest) return [this.age_us, this.blind_us + to - from];
    return [this.age_us + (to - from) * ((to + from) / 2 - this.newest.due_us), this.blind_us];
  }

  /** Number of the first known update that is not held; of an older epoch nothing is. */
  #lacking() {
    const { known } = this;
    const offset = this.epoch === known.epoch ? this.offset : 0;
    let at = known.count;
    while (at > known.first && known.offsets[(at - 1) % known.size] > offset) at--;
    return at;
  }

  /** {age_mean_us, stale_us (now), stale_share, behind (updates others have), over (more than is remembered: at least so many, for so long), first} */
  freshness(now_us) {
    // Told as of now and not kept: what came a moment ago is still on its way from the lane's thread.
    const [age_us, blind_us] = this.#ages(now_us);
    const { known } = this;
    const at = this.#lacking();
    const behind = known.count - at;
    const lacking_us = behind ? known.dues[at % known.size] : now_us;
    const open = Math.max(0, now_us - Math.max(lacking_us, this.covered_us));
    const span = now_us - this.since_us;
    return {
      age_mean_us: this.newest && span > blind_us ? age_us / (span - blind_us) : null,
      stale_us: now_us - lacking_us,
      stale_share: this.newest && span > 0 ? Math.min(1, (this.stale_us + open) / span) : null,
      behind,
      over: behind > 0 && at === known.first && known.count > known.size,
      first: at,
    };
  }
}
