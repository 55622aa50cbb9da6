// A pane: one model's graph with pan, zoom, a selection and colours.
const KEEP = 24; // pixels between the graph and the pane's edge

function makePane(side, root, onChoose) {
  const stage = root.querySelector(".stage");
  const pane = { side, root, stage, sheet: null, chosen: null, twin: null, key: null, sheets: new Map() };
  for (const element of stage.querySelectorAll("[data-sheet]")) {
    pane.sheets.set(element.dataset.sheet, { name: element.dataset.sheet, element, boxes: null });
  }
  stage.addEventListener("click", (event) => {
    if (pane.dragged) return;
    const box = event.target.closest("g[id]");
    stage.focus({ preventScroll: true });
    onChoose(pane, box ? pane.sheet.boxes.get(box.id) : null);
  });
  stage.addEventListener("pointerdown", (event) => {
    pane.from = [event.clientX, event.clientY];
    pane.dragged = false;
  });
  stage.addEventListener("pointermove", (event) => {
    if (pane.from && Math.hypot(event.clientX - pane.from[0], event.clientY - pane.from[1]) > 5) pane.dragged = true;
  });
  stage.addEventListener(
    "wheel",
    (event) => {
      const inside = document.activeElement === stage || event.ctrlKey || event.metaKey;
      if (inside && pane.sheet?.zoom) pane.sheet.zoom.zoomWithWheel(event);
    },
    { passive: false },
  );
  return pane;
}

/** Make an SVG of the page one that can be moved: its drawing in a group of its own, coordinates in pixels. */
function prepare(sheet, keys) {
  const svg = sheet.element.querySelector("svg");
  if (!svg) return;
  const drawing = svg.querySelector(":scope > g");
  const view = document.createElementNS("http://www.w3.org/2000/svg", "g");
  drawing.replaceWith(view);
  view.append(drawing);
  sheet.svg = svg;
  sheet.legend = [...svg.querySelectorAll(":scope > rect:not(.ground)")].map((rect) => ({
    fill: rect.getAttribute("fill"),
    edge: rect.getAttribute("stroke"),
    dashed: rect.hasAttribute("stroke-dasharray"),
    meaning: rect.nextElementSibling.textContent,
  }));
  sheet.bounds = view.getBBox();
  const { x, y, width, height } = sheet.bounds;
  sheet.whole = `${x - 4} ${y - 4} ${width + 8} ${height + 8}`;
  svg.classList.add("live");
  sheet.view = view;
  sheet.boxes = new Map();
  const shift = drawing.transform.baseVal.consolidate().matrix;
  for (const [id, held] of Object.entries(keys)) {
    const group = byId(id);
    const rect = group.querySelector("rect");
    const { x: left, y: top, width: w, height: h } = rect.getBBox();
    const kind = ["input", "output"].find((name) => group.classList.contains(name)) ?? "node";
    const paint = ["fill", "stroke", "stroke-dasharray"].map((name) => [name, rect.getAttribute(name)]);
    const box = { id, keys: held, kind, group, rect, paint, x: left + w / 2 + shift.e, y: top + h / 2 + shift.f, w, h };
    box.title = group.querySelector("title")?.textContent ?? "";
    group.setAttribute("role", "img");
    group.setAttribute("aria-label", clean(box.title.replaceAll("\n", ", ")));
    sheet.boxes.set(id, box);
  }
  svg.removeAttribute("viewBox");
  svg.setAttribute("width", "100%");
  svg.setAttribute("height", "100%");
  sheet.zoom = Panzoom(view, {
    canvas: true,
    minScale: 0.02,
    maxScale: 6,
    step: 0.2,
    handleStartEvent: (event) => event.preventDefault(),
  });
}

function showSheet(pane, name) {
  const sheet = pane.sheets.get(name);
  for (const [other, item] of pane.sheets) item.element.hidden = other !== name;
  mark(pane, "chosen", null);
  mark(pane, "twin", null);
  pane.sheet = sheet;
}

const place = (sheet, scale, left, top) => {
  sheet.zoom.zoom(scale, { animate: false, force: true });
  sheet.zoom.pan(left / scale, top / scale, { animate: false, force: true });
};

/** The whole graph in the pane. */
function fit(pane) {
  if (!pane.sheet?.zoom) return;
  const { width, height } = pane.stage.getBoundingClientRect();
  const b = pane.sheet.bounds;
  const scale = Math.min((width - 2 * KEEP) / b.width, (height - 2 * KEEP) / b.height, 1.5);
  place(pane.sheet, scale, (width - b.width * scale) / 2 - b.x * scale, (height - b.height * scale) / 2 - b.y * scale);
}

/** The top of the graph, as large as it can be read and as its width allows. */
function start(pane) {
  const { width } = pane.stage.getBoundingClientRect();
  const b = pane.sheet.bounds;
  const scale = Math.max(Math.min((width - 2 * KEEP) / b.width, 1), 0.35);
  place(pane.sheet, scale, (width - b.width * scale) / 2 - b.x * scale, KEEP - b.y * scale);
}

/** Bring a box into the pane's middle, unless it is well inside. */
function bringIn(pane, box) {
  const { width, height } = pane.stage.getBoundingClientRect();
  const zoom = pane.sheet.zoom;
  const scale = Math.max(zoom.getScale(), 0.6);
  const at = zoom.getPan();
  const x = (box.x + at.x) * zoom.getScale();
  const y = (box.y + at.y) * zoom.getScale();
  const inside = x > 60 && x < width - 60 && y > 50 && y < height - 50;
  if (!inside || zoom.getScale() < 0.6) place(pane.sheet, scale, width / 2 - box.x * scale, height / 2 - box.y * scale);
}

/** Show which box is chosen ("chosen"), or belongs to what is chosen in the other pane ("twin"). */
function mark(pane, name, box) {
  pane[name]?.group.classList.remove(name);
  pane[name] = box;
  box?.group.classList.add(name);
  if (name === "chosen") {
    if (box) pane.stage.setAttribute("aria-activedescendant", box.id);
    else pane.stage.removeAttribute("aria-activedescendant");
  }
}

const boxOf = (pane, key) => {
  const boxes = [...(pane.sheet?.boxes?.values() ?? [])];
  return boxes.find((box) => box.kind === "node" && box.keys.includes(key)) ?? null;
};

/** The nearest box in a direction, those straight ahead before those aside. */
function neighbour(pane, direction) {
  const boxes = [...(pane.sheet?.boxes?.values() ?? [])];
  const from = pane.chosen;
  if (!from) return boxes.reduce((best, box) => (best && best.y <= box.y ? best : box), null);
  const [dx, dy] = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[direction];
  let best = null;
  let least = Infinity;
  for (const box of boxes) {
    const ahead = (box.x - from.x) * dx + (box.y - from.y) * dy;
    const aside = Math.abs((box.x - from.x) * dy) + Math.abs((box.y - from.y) * dx);
    if (box === from || ahead <= 1 || (dx && aside > from.h + box.h)) continue;
    const distance = ahead + 2 * aside;
    if (distance < least) [best, least] = [box, distance];
  }
  return best;
}

/** Colour the boxes; without a paint each as it was drawn, by its operator. Returns what colours mean, and how often. */
function paintPane(pane, paint) {
  const sheet = pane.sheet;
  if (!sheet?.boxes) return [];
  const found = new Map();
  const drawn = new Map(sheet.legend.map((colour) => [colour.fill, colour.meaning]));
  for (const box of sheet.boxes.values()) {
    for (const [name, value] of box.paint) {
      if (value === null) box.rect.removeAttribute(name);
      else box.rect.setAttribute(name, value);
    }
    delete box.group.dataset.meaning;
    box.meaning = drawn.get(box.rect.getAttribute("fill"));
    if (!paint || box.kind !== "node") continue;
    const colour = worst(box.keys.map((key) => colourOf(paint, key)));
    box.rect.setAttribute("fill", colour.fill);
    box.rect.setAttribute("stroke", colour.edge);
    if (colour.dashed) box.rect.setAttribute("stroke-dasharray", "4 2");
    else box.rect.removeAttribute("stroke-dasharray");
    box.meaning = box.group.dataset.meaning = colour.meaning;
    found.set(colour, (found.get(colour) ?? 0) + 1);
  }
  if (!paint) return sheet.legend.map((colour) => [colour, null]);
  return [...found].sort((a, b) => a[0].rank - b[0].rank);
}

const worst = (colours) => colours.reduce((a, b) => (b.rank > a.rank ? b : a));
const colourOf = (paint, key) => data.palette[paint.nodes.get(key)?.[0] ?? paint.rest];
const tipOf = (paint, key) => data.tips[paint.nodes.get(key)?.[1]] ?? "";
