"use strict";
// Charts follow the colours of the page; a chart's text on pointing is data, shown as text.
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
// What holds names of agents, models and tools is not a place of a colour; palette.py has the same.
const DATA = ["datasets", "domain", "sort"];
function coloured(part) {
  if (Array.isArray(part)) return part.map(coloured);
  if (typeof part === "string") return part.startsWith("token:") ? colour(part.slice("token:".length)) : part;
  if (part === null || typeof part !== "object") return part;
  return Object.fromEntries(Object.entries(part).map(([name, value]) =>
    [name, DATA.includes(name) ? value : coloured(value)]));
}

const tip = document.getElementById("tip");
function showTip(_handler, event, _item, value) {
  tip.hidden = value == null || value === "";
  if (tip.hidden) return;
  tip.textContent = String(value);
  const left = Math.min(event.clientX + 12, document.documentElement.clientWidth - tip.offsetWidth - 8);
  tip.style.left = Math.max(8, left) + "px";
  tip.style.top = Math.max(8, event.clientY - tip.offsetHeight - 12) + "px";
}

async function draw(plot) {
  const spec = coloured(JSON.parse(document.getElementById("chart-" + plot.dataset.chart).textContent));
  spec.config.axisY.labelLimit = Math.min(190, plot.clientWidth * 0.32);
  const rows = spec.datasets.rows, width = plot.clientWidth;
  const letters = Math.max(...rows.map((row) => (row.series ?? "").length));
  spec.config.legend.columns = Math.max(1, Math.floor((width - 60) / (6.4 * letters + 36)));
  // Only where days are narrow, the label of the last one needs room beside the chart.
  if (width / new Set(rows.map((row) => row.day)).size > 36) spec.padding = spec.config.padding;
  await vegaEmbed(plot, spec, {
    actions: false, ast: true, defaultStyle: false, renderer: "svg", tooltip: showTip,
  });
  plot.dataset.drawn = "true";
}

const plots = [...document.querySelectorAll(".plot")];
const drawAll = () => plots.forEach(draw);
if (plots.length && window.vegaEmbed) {
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  addEventListener("beforeprint", drawAll);
}

// On a small screen the links of the pages scroll sideways, and the fields of the filter open on request.
document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
for (const toggle of document.querySelectorAll(".toggle")) {
  const show = (isOpen) => toggle.setAttribute("aria-expanded", String(isOpen));
  toggle.hidden = false;
  show(false);
  toggle.addEventListener("click", () => show(toggle.getAttribute("aria-expanded") === "false"));
}

// A filter applies when a choice is made; its empty fields stay out of the address.
for (const form of document.querySelectorAll("form.filter")) {
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
  for (const select of form.querySelectorAll("select")) {
    select.addEventListener("change", () => { if (!select.dataset.keyed) form.requestSubmit(); });
    // With the keyboard, arrows pass through choices: then only Enter or the button applies them.
    select.addEventListener("keydown", (event) => {
      if (event.key === "Enter") form.requestSubmit(); else if (event.key !== "Tab") select.dataset.keyed = "true";
    });
  }
}
