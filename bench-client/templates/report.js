// What report.html does beside tables that sort and charts that answer to a pointer, which are those of web/lib/charts.js, before this.
// Everything shown here stands in the page already: without script, tables keep their order and charts are pictures.
document.documentElement.classList.add("js");
document.querySelectorAll("table").forEach(sortable);
addEventListener("hashchange", openTarget);
openTarget();
const source = document.getElementById("figures");
if (source && window.Plotly) charts(JSON.parse(source.textContent));

/** A link to a folded section opens it. */
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

function charts(figures) {
  const { draw, show } = drawer(window.Plotly);
  for (const figure of figures) {
    const place = document.getElementById(figure.id);
    const plot = place.querySelector(".plot");
    plot.hidden = false;
    place.classList.add("live");
    draw(plot, figure);
  }
  document.querySelectorAll(".legend button").forEach((button) => {
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", String(shown));
      show(Number(button.dataset.place), shown);
    });
  });
}

// Older browsers print what is open alone.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")].filter((one) => !one.closest("figure"));
  opened.forEach((one) => (one.open = true));
});
addEventListener("afterprint", () => opened.forEach((one) => (one.open = false)));
