// What the page was given, and small helpers. Text of a model is only ever set as text, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

/** Text without characters that are invisible or turn the direction of what stands around. */
const clean = (text) => String(text).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Cn}]/gu, "\ufffd");

/** An element with attributes, event handlers (functions) and children; strings become text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== "") element.append(child instanceof Node ? child : clean(child));
  }
  return element;
}

const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

for (const side of data.sides) {
  side.byKey = new Map();
  for (const node of side.nodes) {
    if (!side.byKey.has(node.key)) side.byKey.set(node.key, []);
    side.byKey.get(node.key).push(node);
  }
  const keyed = (rows) => new Map(rows.map(([place, ...rest]) => [side.nodes[place].key, rest]));
  side.partners = new Map(side.partners);
  side.traces = keyed(side.traces);
  side.paints = new Map(side.paints.map(([name, rest, nodes]) => [name, { rest, nodes: keyed(nodes) }]));
}

/** The side that a partner of this side's nodes is in. */
const otherSide = (side) => data.sides.find((item) => item !== side);
