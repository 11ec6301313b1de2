// What is drawn as SVG: the overview of all layers, the shift diagram, the curves at one place.

import { signed } from "./colors.js";

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element with attributes, children and a tooltip. */
export function svg(name, attributes = {}, children = [], title = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  if (title) {
    const tip = document.createElementNS(SVG, "title");
    tip.textContent = title;
    element.append(tip);
  }
  return element;
}

/** Text in an SVG. */
function label(text, x, y, attributes = {}) {
  const element = svg("text", { x, y, ...attributes });
  element.textContent = text;
  return element;
}

const CELL = 20; // a cell's height in the overview, in SVG units
const WIDE = 24; // its width
const PIXELS = 1.15; // an SVG unit in the overview: one size for all maps, with letters to be read
// Room for the layers' names.
const room = (layers) => Math.max(78, 12 + 6 * Math.max(...layers.map((name) => name.length)));

/** Layers × frames of one direction; a click on a cell calls `choose(layer, frame)`. */
export function overview(rows, { layers, captions, scale, layer, frame, title, mean, choose }) {
  const count = captions.length;
  const NAMES = room(layers);
  const width = NAMES + count * WIDE;
  const picture = svg("svg", {
    viewBox: `0 0 ${width} ${CELL * layers.length + 40}`,
    class: "overview",
    role: "img",
    "aria-label": title,
  });
  picture.style.width = `${Math.round(PIXELS * width)}px`;
  picture.append(label(title, NAMES, 12, { class: "title" }));
  rows.forEach((values, row) => {
    const y = 18 + row * CELL;
    picture.append(
      label(layers[row], NAMES - 6, y + 14, {
        "text-anchor": "end",
        class: row === layer ? "chosen" : "",
      }),
    );
    values.forEach((value, column) => {
      const cell = svg(
        "rect",
        {
          x: NAMES + column * WIDE,
          y,
          width: WIDE - 1,
          height: CELL - 1,
          fill: scale.css(value),
          class: row === layer && column === frame ? "cell here" : "cell",
        },
        [],
        `${layers[row]}, ${captions[column]}, ${title}: ${mean} ${signed(value)}`,
      );
      cell.addEventListener("click", () => choose(row, column));
      picture.append(cell);
    });
    if (row === layer)
      picture.append(
        svg("rect", {
          x: NAMES - 1,
          y: y - 1,
          width: count * WIDE + 1,
          height: CELL + 1,
          class: "frame",
        }),
      );
  });
  captions.forEach((caption, column) => {
    if (count <= 12 || column % 2 === 0) {
      const x = NAMES + (column + 0.5) * WIDE;
      picture.append(
        label(caption.replace("frame ", ""), x, 18 + layers.length * CELL + 14, {
          "text-anchor": "middle",
        }),
      );
    }
  });
  return picture;
}

/** Where an arrow stands that arrives at the column at `x` from the next one (`way` 0) or from the
 * previous one, `step` apart, in the row at `y`: it runs from `from` over `neck`, where its head of
 * half-width 0.75 `head` begins, to `stop`, at the height `middle`, and is as `thick` as its share
 * of the energy is large beside that of one of `count` frames. */
export function arrow(way, share, count, x, step, y) {
  const sign = way === 0 ? -1 : 1;
  const thick = Math.min(9, 0.8 + 9 * share * count);
  const head = Math.max(4, thick * 0.9);
  const stop = x - sign * 4;
  return {
    from: x - sign * (step - 5),
    stop,
    neck: stop - sign * head,
    middle: y + sign * 5,
    head,
    thick,
  };
}

/** Frames as columns, layers as rows; an arrow for what arrives from each side: [layer, way, frame,
 * share, gate]. */
export function diagram(arrows, { layers, captions, scale, layer, frame, title, choose }) {
  const count = captions.length;
  const NAMES = room(layers);
  const step = 46;
  const height = 26;
  const x = (column) => NAMES + 14 + column * step;
  const y = (row) => 18 + (row + 0.5) * height;
  const picture = svg("svg", {
    viewBox: `0 0 ${NAMES + count * step} ${height * layers.length + 40}`,
    class: "diagram",
    role: "img",
    "aria-label":
      title || "What every layer moves to the frame before and to the frame after, as arrows",
  });
  picture.append(label(title, NAMES, 12, { class: "title" }));
  picture.append(
    svg("rect", {
      x: x(frame) - 9,
      y: 18,
      width: 18,
      height: height * layers.length,
      class: "column",
    }),
  );
  layers.forEach((name, row) => {
    const hit = svg(
      "rect",
      {
        x: 0,
        y: 18 + row * height,
        width: NAMES + count * step,
        height,
        class: row === layer ? "row here" : "row",
      },
      [],
      name,
    );
    hit.addEventListener("click", (event) => {
      const at =
        ((event.clientX - picture.getBoundingClientRect().left) /
          picture.getBoundingClientRect().width) *
        (NAMES + count * step);
      choose(row, Math.max(0, Math.min(count - 1, Math.round((at - x(0)) / step))));
    });
    picture.append(
      hit,
      label(name, NAMES - 6, y(row) + 4, {
        "text-anchor": "end",
        class: row === layer ? "chosen" : "",
      }),
    );
    captions.forEach((_, column) =>
      picture.append(svg("circle", { cx: x(column), cy: y(row), r: 1.6, class: "dot" })),
    );
  });
  for (const [row, way, to, share, gate] of arrows) {
    const { from, stop, neck, middle, head, thick } = arrow(way, share, count, x(to), step, y(row));
    const visible = Math.sign(gate) * Math.max(Math.abs(gate), 0.45);
    const color = scale.css(gate === null ? 0.75 * scale.high : visible);
    const where = way === 0 ? "the next" : "the previous";
    const percent = (100 * share).toFixed(1);
    const by = gate === null ? "" : `; gate ${signed(gate)} by energy`;
    const tip =
      `${layers[row]}: ${percent} % of the layer's energy comes to ${captions[to]}` +
      ` from ${where}${by}`;
    const line = svg("line", {
      x1: from,
      y1: middle,
      x2: neck,
      y2: middle,
      stroke: color,
      "stroke-width": thick,
    });
    const [over, under] = [middle - head * 0.75, middle + head * 0.75];
    const points = `${stop},${middle} ${neck},${over} ${neck},${under}`;
    picture.append(
      svg("g", { class: "arrow" }, [line, svg("polygon", { points, fill: color })], tip),
    );
  }
  captions.forEach((caption, column) => {
    if (count <= 12 || column % 2 === 0) {
      picture.append(
        label(caption.replace("frame ", ""), x(column), 18 + layers.length * height + 14, {
          "text-anchor": "middle",
        }),
      );
    }
  });
  return picture;
}

const WAYS = [
  { dash: "", mark: "M-3 0A3 3 0 1 0 3 0A3 3 0 1 0 -3 0Z" }, // a circle
  { dash: "6 4", mark: "M-3-3H3V3H-3Z" }, // a square
  { dash: "2 3", mark: "M0-4.5L4 3.5H-4Z" }, // a triangle
  { dash: "9 3 2 3", mark: "M0-4.5L4.5 0L0 4.5L-4.5 0Z" }, // a diamond
  { dash: "14 4", mark: "M-1-4H1V-1H4V1H1V4H-1V1H-4V-1H-1Z" }, // a cross
];
const COLORS = ["#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00"];

/** How the curve of a way of a panel is told from the others: {color, dash, mark}. A way has a dash
 * and a mark; colours are the panels', and where one panel has more ways than two, the ways'. */
export function lineStyle(way, ways, panelColor, panels) {
  const color = panels === 1 && ways > 2 ? COLORS[way % COLORS.length] : panelColor;
  return { color, ...WAYS[way % WAYS.length] };
}

/** What stands for a curve in the legend. */
export function lineKey({ color, dash, mark }) {
  const line = { x1: 0, x2: 40, y1: 6, y2: 6, stroke: color, "stroke-width": 2 };
  return svg("svg", { viewBox: "0 0 40 12", class: "key" }, [
    svg("line", { ...line, "stroke-dasharray": dash }),
    svg("path", { d: mark, transform: "translate(20 6)", fill: color }),
  ]);
}

/** Values over the frames at one place: lines of {name, style, values}. */
export function curves(lines, { captions, frame, low, high, title, width }) {
  const [height, left, bottom] = [210, 46, 34];
  const count = captions.length;
  const x = (column) => left + 14 + (column * (width - left - 28)) / Math.max(1, count - 1);
  const y = (value) => 14 + ((high - value) / (high - low)) * (height - 14 - bottom);
  const picture = svg("svg", {
    viewBox: `0 0 ${width} ${height}`,
    class: "curves",
    role: "img",
    "aria-label": title,
  });
  for (const value of new Set([low, low / 2, 0, high / 2, high])) {
    picture.append(
      svg("line", {
        x1: left,
        x2: width,
        y1: y(value),
        y2: y(value),
        class: value === 0 ? "zero" : "grid",
      }),
    );
    picture.append(
      label(
        value === 0
          ? "0"
          : signed(value)
              .replace(/0$/, "")
              .replace(low < 0 ? "" : "+", ""),
        left - 6,
        y(value) + 4,
        { "text-anchor": "end" },
      ),
    );
  }
  picture.append(
    svg("line", { x1: x(frame), x2: x(frame), y1: 14, y2: height - bottom, class: "now" }),
  );
  for (const { name, style, values } of lines) {
    const { color, dash, mark } = style;
    const points = values.map((value, column) => `${x(column)},${y(value)}`).join(" ");
    picture.append(
      svg("polyline", { points, stroke: color, "stroke-dasharray": dash, class: "line" }, [], name),
    );
    values.forEach((value, column) =>
      picture.append(
        svg(
          "path",
          { d: mark, transform: `translate(${x(column)} ${y(value)})`, fill: color },
          [],
          `${name}, ${captions[column]}: ${signed(value)}`,
        ),
      ),
    );
  }
  captions.forEach((caption, column) => {
    const fits = count * 34 <= width || column % 2 === 0;
    if (fits)
      picture.append(
        label(caption.replace("frame ", ""), x(column), height - 12, { "text-anchor": "middle" }),
      );
  });
  return picture;
}
