// The page's end of a lane's thread: opens a connection there, and hears in order and in batches what it brings.
//
//   lanes.js: follow(asked, signal, hear) <-> worker.js

/** A worker's file, or one it imports, is not there: as where the server is gone. */
const NO_THREAD = "its part of this page could not be loaded";

export class Reader {
  #worker = null;
  #attempts = 0;
  /** {attempt, hear, done, fail} of the connection there is. */
  #now = null;

  /** `late(ms)`: so much later than it wished the thread came to a batch: it, or the machine, was busy. */
  constructor(late) {
    this.late = late;
    this.#start();
  }

  /** Connects once; ends when `signal` is aborted and all is heard that had arrived by then, or fails with the reason in words.
      `hear(name, at_us, ...given)`: see worker.js. */
  follow(asked, signal, hear) {
    if (signal.aborted) return Promise.resolve();
    if (!this.#worker) this.#start();
    const attempt = ++this.#attempts;
    return new Promise((done, fail) => {
      this.#now = { attempt, hear, done, fail: (words) => fail(new Error(words)) };
      signal.addEventListener("abort", () => this.#worker?.postMessage({ close: attempt }));
      this.#worker.postMessage({ open: { attempt, ...asked } });
    });
  }

  /** Its connections end with it. */
  end() {
    this.#worker?.terminate();
    this.#worker = null;
    this.#now?.done();
  }

  #start() {
    const worker = (this.#worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" }));
    worker.onmessage = ({ data: { attempt, said, late_ms, ended } }) => {
      if (this.#worker !== worker) return;
      worker.postMessage({ took: true });
      this.late(late_ms);
      const now = this.#now;
      if (attempt !== now?.attempt) return;
      for (const [name, at_us, ...given] of said) now.hear(name, at_us, ...given);
      if (ended === "") now.done();
      else if (ended !== null) now.fail(ended);
    };
    worker.onerror = () => {
      if (this.#worker !== worker) return;
      this.#now?.fail(NO_THREAD);
      this.end();
    };
  }
}
