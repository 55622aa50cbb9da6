// Search: nodes by name, operator, or the tensors that they make.
const MOST_HITS = 60;

function findNodes(text) {
  const wanted = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return [];
  const hits = [];
  const seen = new Set(); // a node of the model before that is found in the one after already
  for (const side of [...data.sides].reverse()) {
    for (const node of side.nodes) {
      if (side !== data.sides.at(-1) && seen.has(side.partners.get(node.key))) continue;
      const tensors = node.outputs.map((port) => port?.name ?? "").join(" ");
      const held = `${node.op} ${node.key} ${tensors}`.toLowerCase();
      if (wanted.every((word) => held.includes(word))) {
        hits.push({ side, node });
        seen.add(node.key);
      }
    }
  }
  return hits;
}

function makeSearch(input, list, note, go) {
  let hits = [];
  let at = -1;
  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    at = -1;
  };
  const point = (place) => {
    list.children[at]?.setAttribute("aria-selected", "false");
    at = place;
    const item = list.children[at];
    item?.setAttribute("aria-selected", "true");
    item?.scrollIntoView({ block: "nearest" });
    if (item) input.setAttribute("aria-activedescendant", item.id);
  };
  const choose = (place) => {
    const hit = hits[place];
    if (!hit) return;
    close();
    go(hit.side, hit.node.key);
  };
  const look = () => {
    hits = findNodes(input.value);
    const shown = hits.slice(0, MOST_HITS);
    list.replaceChildren(
      ...shown.map(({ side, node }, place) =>
        make(
          "li",
          { role: "option", id: `hit-${place}`, "aria-selected": "false", pointerdown: (event) => event.preventDefault(), click: () => choose(place) },
          make("b", {}, node.op),
          " ",
          make("bdi", {}, node.key),
          data.sides.length > 1 && side === data.sides[0] ? make("span", { class: "faint" }, " before") : null,
        ),
      ),
    );
    at = -1;
    const empty = !input.value.trim();
    list.hidden = empty || !shown.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    note.textContent = empty ? "" : hits.length > MOST_HITS ? `${hits.length} found, the first ${MOST_HITS} are listed` : `${hits.length} found`;
    if (shown.length) point(0);
  };
  input.addEventListener("input", look);
  input.addEventListener("focus", () => input.value && look());
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && hits.length) point(Math.min(at + 1, list.children.length - 1));
    else if (event.key === "ArrowUp" && hits.length) point(Math.max(at - 1, 0));
    else if (event.key === "Enter") choose(Math.max(at, 0));
    else if (event.key === "Escape" && !list.hidden) close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
