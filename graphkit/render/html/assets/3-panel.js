// The panel: what is known of the chosen box.
const shapeText = (shape) => (shape === null ? "shape unknown" : `[${shape.map((size) => size ?? "?").join(",")}]`);
const valueText = (value) => (Array.isArray(value) ? `[${value.map(valueText).join(", ")}]` : String(value));

function definitions(rows) {
  const kept = rows.filter(([, value]) => value !== null && value !== "");
  return make(
    "dl",
    {},
    kept.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]),
  );
}

/** A button that goes to a node of the same side. */
function nodeLink(side, key, go) {
  const node = side.byKey.get(key)?.[0];
  if (!node) return make("span", { class: "name" }, key);
  return make("button", { type: "button", class: "link", click: () => go(side, key) }, `${node.op} `, make("bdi", {}, key));
}

function portList(title, ports, side, go, word) {
  if (!ports.length) return null;
  const items = ports.map((port) => {
    if (port === null) return make("li", { class: "faint" }, "left out");
    const { role, name, type, shape, origin, neighbours, values } = port;
    const kind = `${type ?? "type unknown"} ${shapeText(shape)}`;
    const where = { initializer: "a weight", constant: "constant", input: "input of the model" }[origin];
    return make(
      "li",
      {},
      make("span", { class: "role" }, role),
      " ",
      make("bdi", { class: "name" }, name),
      make("span", { class: "kind" }, kind + (where ? `, ${where}` : "")),
      values ? make("span", { class: "kind" }, `= ${valueText(values)}`) : null,
      neighbours.map((key) => make("span", { class: "near" }, `${word} `, nodeLink(side, key, go))),
    );
  });
  return [make("h4", {}, title), make("ul", { class: "ports" }, items)];
}

/** What runtimes do with a node, those that just run it in one line. */
function runtimesOf(side, key) {
  const groups = new Map();
  let plain = 0;
  for (const runtime of data.runtimes) {
    const paint = side.paints.get(runtime.id);
    if (!paint) continue;
    const colour = colourOf(paint, key);
    if (colour.rank === 0) plain += 1;
    else {
      const told = tipOf(paint, key) || colour.meaning;
      if (!groups.has(told)) groups.set(told, { colour, names: [] });
      groups.get(told).names.push(runtime.id);
    }
  }
  const items = [...groups].sort((a, b) => b[1].colour.rank - a[1].colour.rank);
  const swatch = ({ fill, edge }) => make("i", { class: "swatch", style: `background:${fill};border-color:${edge}` });
  return make(
    "ul",
    { class: "told" },
    items.map(([told, { colour, names }]) => make("li", {}, swatch(colour), make("b", {}, names.join(", ")), ` ${told}`)),
    plain ? make("li", {}, items.length ? `${count(plain, "runtime")} run it.` : `All ${count(plain, "runtime")} run it.`) : null,
  );
}

function nodeDetails(side, node, go) {
  const other = otherSide(side);
  const partner = side.partners.get(node.key);
  const traces = side.traces.get(node.key)?.[0] ?? [];
  const change = side.paints.get("changes");
  const told = change ? [colourOf(change, node.key).meaning, tipOf(change, node.key)].filter(Boolean).join("; ") : "";
  return [
    make("h3", {}, make("span", {}, node.op), " ", make("bdi", { class: "name" }, node.key)),
    definitions([
      ["definition", node.since ? `opset ${node.since}` : "not known"],
      ["parameters", node.parameters ? node.parameters.toLocaleString("en") : ""],
      ["MACs", node.macs === null ? "not known" : node.macs ? node.macs.toLocaleString("en") : ""],
      ...node.attributes.map(([name, value]) => [name, valueText(value)]),
      ...node.defaults.map(([name, value]) => [name, `${valueText(value)} (default)`]),
    ]),
    portList("Reads", node.inputs, side, go, "from"),
    portList("Makes", node.outputs, side, go, "to"),
    other
      ? [
          make("h4", {}, "In the run"),
          make("p", {}, told),
          traces.length ? make("ul", {}, traces.map(([by, what]) => make("li", {}, make("b", {}, by), ` ${what}`))) : null,
          partner !== undefined ? make("p", {}, `${other.role}: `, nodeLink(other, partner, go)) : null,
        ]
      : null,
    data.runtimes.length ? [make("h4", {}, "Runtimes"), runtimesOf(side, node.key)] : null,
  ].flat(2);
}

function fillPanel(panel, pane, box, key, go) {
  const body = panel.querySelector(".body");
  panel.classList.toggle("filled", Boolean(box || key));
  const side = pane?.side;
  const part = data.sides.length > 1 && side ? make("p", { class: "faint" }, side.role) : null;
  let parts = [make("p", { class: "faint" }, "Choose a box, or search: what is known of it stands here.")];
  if (key !== null && side?.byKey.has(key)) {
    const inside = box && box.keys.length > 1 ? blockLine(side, box, go) : null;
    parts = [part, inside, ...side.byKey.get(key).flatMap((node) => nodeDetails(side, node, go))];
  } else if (box && box.kind !== "node") {
    parts = [part, make("h3", {}, `${box.kind} `, make("bdi", { class: "name" }, box.keys[0])), tipLines(box)];
  } else if (box) {
    parts = [part, ...blockDetails(side, box, go)];
  }
  body.replaceChildren(...parts.filter((item) => item !== null));
  body.scrollTop = 0;
}

const tipLines = (box) => make("ul", {}, box.title.split("\n").slice(1).map((line) => make("li", {}, line)));

const blockLine = (side, box, go) =>
  make("p", { class: "faint" }, "in ", make("button", { type: "button", class: "link", click: () => go(side, null, box) }, box.title.split("\n")[0]));

function blockDetails(side, box, go) {
  const nodes = box.keys.flatMap((key) => side.byKey.get(key) ?? []);
  const macs = nodes.reduce((sum, node) => sum + (node.macs ?? 0), 0);
  const parameters = nodes.reduce((sum, node) => sum + node.parameters, 0);
  return [
    make("h3", {}, box.title.split("\n")[0]),
    definitions([
      ["parameters", parameters.toLocaleString("en")],
      ["MACs", macs.toLocaleString("en")],
    ]),
    make("ol", { class: "nodes" }, box.keys.map((key) => make("li", {}, nodeLink(side, key, go)))),
  ];
}
