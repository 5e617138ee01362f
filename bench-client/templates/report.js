// Tables that sort, and charts that answer to a pointer. Everything shown here stands in the page already: without this script,
// tables keep their order and charts are pictures.
"use strict";
(() => {
  document.documentElement.classList.add("js");
  document.querySelectorAll("table").forEach(sortable);
  addEventListener("hashchange", openTarget);
  openTarget();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const source = document.getElementById("figures");
  if (source && window.Plotly) charts(JSON.parse(source.textContent));

  /** A link to a folded section opens it. */
  function openTarget() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) target.open = true;
  }

  /** Heads become buttons: lowest first, highest first, the order of the report. What is not known stays below. */
  function sortable(table) {
    const body = table.tBodies[0];
    const order = [...body.rows];
    if (order.length < 2) return;
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
        body.append(...(next ? [...order].sort((a, b) => compare(a.cells[column], b.cells[column], sign)) : order));
      });
    });
  }

  function compare(a, b, sign) {
    const [x, y] = [a, b].map((cell) => (cell.dataset.value === undefined ? NaN : Number(cell.dataset.value)));
    if (Number.isNaN(x) && Number.isNaN(y)) return sign * a.textContent.localeCompare(b.textContent);
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return sign * (x - y);
  }

  function charts(figures) {
    const hidden = new Set();
    const watched = new Set();
    // A finger that pans the page must not zoom a chart.
    const touch = matchMedia("(pointer: coarse)").matches;
    const config = {
      responsive: true,
      displaylogo: false,
      displayModeBar: touch ? false : "hover",
      modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
    };

    function draw() {
      const style = getComputedStyle(document.documentElement);
      const colours = new Map(["ink", "line", "page", "raised"].map((name) => ["@" + name, style.getPropertyValue("--" + name).trim()]));
      for (const figure of figures) {
        const place = document.getElementById(figure.id);
        const plot = place.querySelector(".plot");
        const { data, layout } = themed(figure, colours);
        for (const trace of data) trace.visible = !hidden.has(trace.meta);
        layout.dragmode = touch ? false : "zoom";
        plot.hidden = false;
        place.classList.add("live");
        Plotly.react(plot, data, layout, { ...config, toImageButtonOptions: { format: "svg", filename: figure.id } });
        if (!watched.has(plot)) plot.on("plotly_relayout", () => fitTicks(plot, figure.layout));
        watched.add(plot);
        fitTicks(plot, figure.layout);
      }
    }

    /** Who zooms in gets more ticks: the finest level of which all in sight have room. */
    function fitTicks(plot, layout) {
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
      if (Object.keys(change).length > 0) Plotly.relayout(plot, change);
    }

    document.querySelectorAll(".legend button").forEach((button) => {
      const place = Number(button.dataset.place);
      button.addEventListener("click", () => {
        const shown = !hidden.delete(place);
        if (shown) hidden.add(place);
        button.setAttribute("aria-pressed", String(!shown));
        draw();
      });
    });
    dark.addEventListener("change", draw);
    draw();
  }

  /** A copy with this scheme's colours in place of their names. */
  function themed(value, colours) {
    if (typeof value === "string") return colours.get(value) ?? value;
    if (Array.isArray(value)) return value.map((one) => themed(one, colours));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, themed(one, colours)]));
  }

  // Older browsers print what is open alone.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")].filter((one) => !one.closest("figure"));
    opened.forEach((one) => (one.open = true));
  });
  addEventListener("afterprint", () => opened.forEach((one) => (one.open = false)));
})();
