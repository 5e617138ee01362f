// Tables that sort, and charts that answer to a pointer: for the views of the page and, with `export` taken away, for report.html.
// Therefore no imports, and plotly.js is handed in: the report carries it, the page loads it when somebody asks.
//
//   table -> sortable       figure {data, layout} + the scheme's colours + hidden techniques -> drawer -> Plotly.react

/** Heads become buttons: lowest first, highest first, the order as it was. What is not known stays below. */
export function sortable(table) {
  const body = table.tBodies[0];
  const order = [...(body?.rows ?? [])];
  if (order.length < 2 || !table.tHead) return;
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: "" }[head.getAttribute("aria-sort")] ?? "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      if (next) head.setAttribute("aria-sort", next);
      const sign = next === "descending" ? -1 : 1;
      body.append(...(next ? [...order].sort((a, b) => compareCells(a.cells[column], b.cells[column], sign)) : order));
    });
  });
}

function compareCells(a, b, sign) {
  const [x, y] = [a, b].map((cell) => (cell.dataset.value === undefined ? NaN : Number(cell.dataset.value)));
  if (Number.isNaN(x) && Number.isNaN(y)) return sign * a.textContent.localeCompare(b.textContent);
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
  return sign * (x - y);
}

/** Draws figures in the scheme's colours, without the techniques that are hidden, until `signal` is aborted. */
export function drawer(plotly, signal) {
  const drawn = new Map();
  const hidden = new Set();
  // A finger that pans the page must not zoom a chart.
  const touch = matchMedia("(pointer: coarse)").matches;
  const config = {
    responsive: true,
    displaylogo: false,
    displayModeBar: touch ? false : "hover",
    modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
  };

  /** In `plot`, an element in sight: anew, or with other figures in place of its own. */
  function draw(plot, figure) {
    const fresh = !drawn.has(plot);
    drawn.set(plot, figure);
    const { data, layout } = themed(figure, colours());
    for (const trace of data) trace.visible = !hidden.has(trace.meta);
    layout.dragmode = touch ? false : "zoom";
    plotly.react(plot, data, layout, { ...config, toImageButtonOptions: { format: "svg", filename: figure.id } });
    if (fresh) plot.on("plotly_relayout", () => fitTicks(plotly, plot, drawn.get(plot).layout));
    fitTicks(plotly, plot, figure.layout);
  }

  function forget(plot) {
    if (drawn.delete(plot)) plotly.purge(plot);
  }

  const all = () => drawn.forEach((figure, plot) => draw(plot, figure));
  /** Shows or hides the technique at `place` in every chart. */
  function show(place, shown) {
    if (shown) hidden.delete(place);
    else hidden.add(place);
    all();
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all, { signal });
  signal?.addEventListener("abort", () => [...drawn.keys()].forEach(forget));
  return { draw, forget, show };
}

/** Who zooms in gets more ticks: the finest level of which all in sight have room. */
function fitTicks(plotly, plot, layout) {
  const change = {};
  for (const [axis, most] of [["xaxis", Math.floor(plot.clientWidth / 75)], ["yaxis", 8]]) {
    const [low, high] = plot.layout[axis].range ?? [];
    const inSight = ({ vals }) => vals.filter((value) => Math.log10(value) >= low && Math.log10(value) <= high).length;
    const levels = layout[axis].levels ?? [];
    const level = levels.findLast((one) => inSight(one) <= most) ?? levels[0];
    if (level && plot.layout[axis].tickvals?.length !== level.vals.length) {
      change[axis + ".tickvals"] = level.vals;
      change[axis + ".ticktext"] = level.text;
    }
  }
  if (Object.keys(change).length > 0) plotly.relayout(plot, change);
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  return new Map(["ink", "line", "page", "raised"].map((name) => ["@" + name, style.getPropertyValue("--" + name).trim()]));
}

/** A copy with this scheme's colours in place of their names. */
function themed(value, names) {
  if (typeof value === "string") return names.get(value) ?? value;
  if (Array.isArray(value)) return value.map((one) => themed(one, names));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, themed(one, names)]));
}
