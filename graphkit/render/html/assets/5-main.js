// All put together: panes, panel, search, colours, keys, printing.
const panel = byId("panel");
const sheetChoice = byId("sheet");
const colourChoice = byId("colour");
const legend = byId("legend");
const panes = data.sides.map((side, place) => makePane(side, document.querySelector(`[data-pane="${place}"]`), choose));
let active = panes[panes.length - 1];

/** Choose a box of a pane, and in it a node; null for none. */
function choose(pane, box, key = null) {
  active = pane;
  pane.key = key ?? box?.keys[0] ?? null;
  for (const other of panes) {
    mark(other, "chosen", other === pane ? box : null);
    mark(other, "twin", null);
  }
  const single = key ?? (box?.kind === "node" && box.keys.length === 1 ? box.keys[0] : null);
  fillPanel(panel, pane, box, single, go);
  if (box) {
    bringIn(pane, box);
    for (const other of panes.filter((item) => item !== pane)) showTwin(pane, other, box, single);
  }
}

function showTwin(pane, other, box, key) {
  const keys = key === null ? box.keys : [key];
  const twin = keys.map((item) => pane.side.partners.get(item)).find((item) => item !== undefined);
  const found = twin === undefined ? null : boxOf(other, twin);
  mark(other, "twin", found);
  if (found) bringIn(other, found);
}

/** Go to a node of a side, or to a box that stands for several. */
function go(side, key, box = null) {
  const pane = panes.find((item) => item.side === side);
  choose(pane, box ?? boxOf(pane, key), key);
  if (window.matchMedia("(max-width: 60rem)").matches && pane.chosen) pane.root.scrollIntoView({ block: "nearest" });
}

function recolour() {
  const name = colourChoice?.value ?? "operator";
  const totals = new Map();
  for (const pane of panes) {
    for (const [colour, number] of paintPane(pane, pane.side.paints.get(name) ?? null)) {
      const known = totals.get(colour.meaning);
      totals.set(colour.meaning, { colour, number: number === null ? null : (known?.number ?? 0) + number });
    }
  }
  const items = [...totals.values()].map(({ colour, number }) =>
    make(
      "li",
      {},
      make(
        "button",
        { type: "button", title: "Go to the next one", click: () => goToNext(colour.meaning) },
        make("i", { class: `swatch${colour.dashed ? " dashed" : ""}`, style: `background:${colour.fill};border-color:${colour.edge}` }),
        colour.meaning + (number === null ? "" : ` · ${number}`),
      ),
    ),
  );
  legend.replaceChildren(...items);
  for (const button of document.querySelectorAll("[data-colour]")) {
    button.setAttribute("aria-pressed", String(button.dataset.colour === name));
  }
}

/** From one box to the next of the same colour, downwards, then in the other pane, then from the top again. */
function goToNext(meaning) {
  const order = [active, ...panes.filter((pane) => pane !== active)];
  const all = order.flatMap((pane) =>
    [...(pane.sheet?.boxes?.values() ?? [])]
      .filter((box) => box.meaning === meaning)
      .sort((a, b) => a.y - b.y || a.x - b.x)
      .map((box) => [pane, box]),
  );
  const at = all.findIndex(([, box]) => box === active.chosen);
  if (all.length) choose(...all[(at + 1) % all.length]);
}

function showSheets(name) {
  const key = active.key;
  for (const pane of panes) showSheet(pane, name);
  recolour();
  const box = key === null ? null : boxOf(active, key);
  choose(active, box, box ? key : null);
}

/** A run's page begins where something changed. */
function showFirstChange(pane) {
  const paint = pane.side.paints.get("changes");
  const changed = [...(pane.sheet.boxes?.values() ?? [])].filter(
    (box) => paint && box.kind === "node" && worst(box.keys.map((key) => colourOf(paint, key))).rank > 0,
  );
  if (changed.length) bringIn(pane, changed.reduce((a, b) => (b.y < a.y ? b : a)));
}

function onKey(pane, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const zoom = pane.sheet?.zoom;
  const arrow = event.key.startsWith("Arrow");
  if (!zoom) return;
  if (arrow && event.shiftKey) {
    const step = 80 / zoom.getScale();
    const [x, y] = { ArrowUp: [0, step], ArrowDown: [0, -step], ArrowLeft: [step, 0], ArrowRight: [-step, 0] }[event.key];
    zoom.pan(x, y, { relative: true, animate: false });
  } else if (arrow) {
    const box = neighbour(pane, event.key);
    if (box) choose(pane, box);
  } else if (event.key === "+" || event.key === "=") zoomMiddle(pane, 1.25);
  else if (event.key === "-") zoomMiddle(pane, 0.8);
  else if (event.key === "0") fit(pane);
  else if (event.key === "Enter" && pane.chosen) panel.focus();
  else if (event.key === "Escape") choose(pane, null);
  else return;
  event.preventDefault();
}

function zoomMiddle(pane, by) {
  const { left, top, width, height } = pane.stage.getBoundingClientRect();
  const zoom = pane.sheet?.zoom;
  zoom?.zoomToPoint(zoom.getScale() * by, { clientX: left + width / 2, clientY: top + height / 2 });
}

for (const pane of panes) {
  pane.stage.addEventListener("keydown", (event) => onKey(pane, event));
  pane.stage.addEventListener("focus", () => (active = pane));
  const tools = { fit: () => fit(pane), in: () => zoomMiddle(pane, 1.4), out: () => zoomMiddle(pane, 1 / 1.4) };
  for (const button of pane.root.querySelectorAll("[data-do]")) button.addEventListener("click", tools[button.dataset.do]);
}
panel.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  choose(active, null);
  active.stage.focus();
});
makeSearch(byId("search"), byId("hits"), byId("found"), go);
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  byId("search").focus();
});
sheetChoice.addEventListener("change", () => showSheets(sheetChoice.value));
colourChoice.addEventListener("change", recolour);
for (const button of document.querySelectorAll("[data-colour]")) {
  button.addEventListener("click", () => {
    colourChoice.value = button.dataset.colour;
    recolour();
    byId("graph").scrollIntoView({ block: "start" });
  });
}

// On paper the whole graph stands, at the width of the page, and nothing is folded.
let closed = [];
window.addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  for (const item of closed) item.open = true;
  for (const pane of panes) {
    if (!pane.sheet?.zoom) continue;
    pane.sheet.kept = pane.sheet.view.style.transform;
    pane.sheet.view.style.transform = "none";
    pane.sheet.svg.setAttribute("viewBox", pane.sheet.whole);
  }
});
window.addEventListener("afterprint", () => {
  for (const item of closed) item.open = false;
  for (const pane of panes) {
    if (!pane.sheet?.zoom) continue;
    pane.sheet.svg.removeAttribute("viewBox");
    pane.sheet.view.style.transform = pane.sheet.kept;
  }
});

document.documentElement.classList.add("live");
for (const pane of panes) {
  for (const name of pane.sheets.keys()) {
    showSheet(pane, name); // what is hidden has no size
    prepare(pane.sheet, pane.side.sheets[name]);
  }
}
// The library moves everything to its own start a moment after it was called; only then can places be chosen.
setTimeout(() => {
  for (const pane of panes) {
    for (const name of pane.sheets.keys()) {
      showSheet(pane, name);
      if (pane.sheet.zoom) start(pane);
    }
  }
  showSheets(sheetChoice.value);
  for (const pane of panes) showFirstChange(pane);
  document.documentElement.dataset.ready = "";
});
