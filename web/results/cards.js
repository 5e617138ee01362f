// Charts as cards: a picture at once, and what answers to a pointer when somebody asks for it.
//
//   charts, legend -> update -> figure: title, caption, picture (SVG), buttons, table
//                                 Interactive -> /vendor/plotly.js, once -> lib/charts.js -> plot
//
// From the first chart that was asked for, others follow as they come into view. Nothing of the library is loaded before.

import { drawer } from "../lib/charts.js";
import { el } from "../lib/dom.js";
import { breath, markup } from "./blocks.js";
import { mark } from "./words.js";

/** A drawn chart is higher than its picture. Up to this, the picture has its room, so that nothing moves when they change. */
const RESERVED_PX = 400;
/** A PNG is this much larger than the picture: sharp on paper. */
const PNG_SCALE = 2;
/** Charts this far below the view are drawn already. */
const AHEAD = "0px 0px 300px";

/** @returns {element, update(charts, legend)} */
export function cards(signal) {
  const made = new Map();
  const hidden = new Set();
  const legend = el("div", { class: "legend", role: "group", "aria-label": "Techniques shown in interactive charts" });
  const grid = el("div", { class: "charts" });
  const trouble = el("p", { class: "trouble", role: "status" });
  let charts = null;
  let seen = null;
  let entries = "";
  let filling = Promise.resolve();

  /** One after the other; ends when all cards stand. */
  function update(list, names) {
    filling = filling.then(() => lay(list, names));
    return filling;
  }

  async function lay(list, names) {
    if (JSON.stringify(names) !== entries) {
      entries = JSON.stringify(names);
      legend.replaceChildren(...names.map(toggle));
    }
    for (const [id, card] of made) {
      if (list.some((chart) => chart.id === id)) continue;
      charts?.forget(card.plot);
      card.element.remove();
      made.delete(id);
    }
    for (const [at, chart] of list.entries()) {
      const card = made.get(chart.id) ?? card_of(chart);
      const json = JSON.stringify(chart);
      if (card.json !== json) fill(card, chart);
      card.json = json;
      if (grid.children[at] !== card.element) grid.insertBefore(card.element, grid.children[at] ?? null);
      await breath();
      if (signal.aborted) return;
    }
  }

  function toggle({ place, colour, shape, label }) {
    const button = el("button", { type: "button", "aria-pressed": String(!hidden.has(place)) }, mark(colour, shape), " ", label);
    button.addEventListener("click", async () => {
      const shown = hidden.delete(place);
      if (!shown) hidden.add(place);
      button.ariaPressed = String(shown);
      if (await started()) charts.show(place, shown);
    });
    return button;
  }

  function card_of({ id }) {
    const press = (words, state, onclick) => el("button", { type: "button", [state]: "false", onclick }, words);
    const card = {
      wanted: false,
      title: el("h3"),
      caption: el("p", { class: "caption quiet small" }),
      image: el("img", { loading: "lazy", decoding: "async" }),
      plot: el("div", { class: "plot", hidden: true }),
      figures: el("div", { class: "figures", hidden: true }),
      live: press("Interactive", "aria-pressed", () => (card.wanted ? rest(card) : wake(card))),
      table: press("Table", "aria-expanded", () => {
        card.table.ariaExpanded = String(!card.figures.toggleAttribute("hidden"));
        figures(card);
      }),
      svg: el("a", { class: "button", download: `${id}.svg` }, "SVG"),
    };
    const png = el("button", { type: "button", onclick: () => save(card) }, "PNG");
    // On a phone the picture is wider than the page, and scrolls by itself.
    card.picture = el("div", { class: "picture", role: "group", tabindex: matchMedia("(max-width: 700px)").matches ? 0 : null }, card.image);
    card.buttons = el("div", { class: "buttons", role: "group" }, card.live, card.table, card.svg, png);
    card.element = el("figure", { class: "card", id }, el("figcaption", {}, card.title, card.caption), card.picture, card.plot, card.buttons, card.figures);
    made.set(id, card);
    seen?.observe(card.element);
    return card;
  }

  function fill(card, chart) {
    const { title, caption, svg, width, height, top, figure } = (card.chart = chart);
    card.title.textContent = card.buttons.ariaLabel = card.picture.ariaLabel = title;
    card.caption.textContent = caption;
    card.image.alt = `${title}: the figures stand in its table.`;
    card.image.src = card.svg.href = svg;
    // The picture carries title and caption too, for whom it is saved; here they stand above it, and the picture is cut there.
    const sizes = { width: `${width}px`, ratio: `${width} / ${height - top}`, room: `${Math.min(RESERVED_PX, figure.layout.height)}px` };
    for (const [name, value] of Object.entries(sizes)) card.picture.style.setProperty(`--${name}`, value);
    card.figures.replaceChildren();
    figures(card);
    if (!card.plot.hidden) draw(card);
  }

  /** Tables are made when they are opened: most never are. */
  function figures(card) {
    if (!card.figures.hidden && !card.figures.firstChild) card.figures.append(markup(card.chart.table));
  }

  /** Whether the library is there; from then on charts in view are drawn. */
  async function started() {
    try {
      const library = await plotly();
      if (signal.aborted) return false;
      trouble.textContent = "";
      charts ??= drawer(library, signal);
      seen ??= watch();
      return true;
    } catch (error) {
      trouble.textContent = `${error.message}; the pictures and tables stay.`;
      return false;
    }
  }

  function watch() {
    for (const place of hidden) charts.show(place, false);
    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const card = made.get(target.id);
        if (isIntersecting && card && card.wanted !== null) wake(card);
      }
    }, { rootMargin: AHEAD });
    for (const { element } of made.values()) observer.observe(element);
    signal.addEventListener("abort", () => observer.disconnect());
    return observer;
  }

  async function wake(card) {
    if (!card.plot.hidden) return;
    card.wanted = true;
    card.live.ariaBusy = "true";
    const ready = await started();
    card.live.ariaBusy = "false";
    if (!ready) card.wanted = false;
    if (!ready || !card.wanted || !card.plot.hidden) return;
    card.height = card.picture.offsetHeight;
    card.plot.hidden = false;
    card.picture.hidden = true;
    card.live.ariaPressed = "true";
    draw(card);
  }

  function draw({ plot, chart: { figure }, height }) {
    charts.draw(plot, { ...figure, layout: { ...figure.layout, height: Math.max(height, figure.layout.height) } });
  }

  /** Back to the picture, and left alone (`null`) until it is asked for again. */
  function rest(card) {
    card.wanted = null;
    charts?.forget(card.plot);
    card.plot.hidden = true;
    card.picture.hidden = false;
    card.live.ariaPressed = "false";
  }

  async function save(card) {
    const { id, svg } = card.chart;
    try {
      const data = card.plot.hidden ? await raster(svg) : await window.Plotly.toImage(card.plot, { format: "png", scale: PNG_SCALE });
      el("a", { href: data, download: `${id}.png` }).click();
    } catch (error) {
      trouble.textContent = `The picture could not be saved: ${error.message}`;
    }
  }

  return { element: el("div", {}, legend, trouble, grid), update };
}

/** The whole picture on white: what is saved goes into documents, whatever scheme this page has. */
async function raster(address) {
  const text = (await (await fetch(address)).text()).replace("(prefers-color-scheme: dark)", "not all");
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = el("canvas", { width: image.width * PNG_SCALE, height: image.height * PNG_SCALE });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
}

let library = null;
function plotly() {
  library ??= new Promise((resolve, reject) => {
    const failed = () => {
      library = null;
      reject(new Error("The chart library could not be loaded"));
    };
    document.head.append(el("script", { src: "/vendor/plotly.js", onload: () => (window.Plotly ? resolve(window.Plotly) : failed()), onerror: failed }));
  });
  return library;
}
