// The viewer: frames with maps over them. Which layer, frame, place and opacity is chosen lives
// here, so that none of them needs the server; only the layer is told to it, for what the page says
// of it.

import { contours, paint } from "./canvas.js";
import { Scale, signed } from "./colors.js";
import { frameAfter, placeIn, shownFor } from "./cursor.js";
import { curves, diagram, lineKey, lineStyle, overview } from "./drawings.js";
import { KEYS, changeBy } from "./keys.js";
import { DifferenceMaps, Maps } from "./maps.js";

/** An HTML element with properties and children. */
function html(name, properties = {}, children = []) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

class Viewer {
  constructor(root) {
    this.root = root;
    this.playing = null;
    this.state = {
      layer: 0,
      frame: 0,
      place: [0.5, 0.5],
      opacity: null,
      colors: 0,
      lines: false,
      difference: false,
      large: false,
    };
  }

  /** Take the page's data. The same data again changes nothing; new data keeps what is chosen as
   * far as it exists there. */
  take(data, tell) {
    this.tell = tell;
    if (data.id === this.id) return;
    const before = this.data?.layers[this.state.layer];
    this.id = data.id;
    this.data = data;
    this.state.opacity ??= data.scale.opacity;
    this.state.colors = Math.min(this.state.colors, data.scale.palettes.length - 1);
    this.setScales();
    this.unpacked = new Map();
    const kept = data.layers.indexOf(before);
    this.state.layer = kept >= 0 ? kept : Math.max(0, data.layers.indexOf(data.start));
    this.state.frame = Math.min(this.state.frame, this.frames - 1);
    this.state.difference &&= data.panels.length === 2;
    this.build();
  }

  setScales() {
    const { low, high, palettes, opposed, fade } = this.data.scale;
    this.scale = new Scale(low, high, palettes[this.state.colors].stops, fade);
    this.wide = new Scale(low - high, high - low, opposed, fade); // of a difference
  }

  get frames() {
    return this.data.panels[0].captions.length;
  }

  /** What stands side by side now: every panel, or the difference of the two. */
  get shown() {
    const { panels } = this.data;
    if (!this.state.difference)
      return panels.map((panel, index) => ({ ...panel, index, scale: this.scale }));
    const [first, second] = panels;
    return [
      {
        ...first,
        title: `${first.title} − ${second.title}`,
        arrows: null,
        index: "difference",
        scale: this.wide,
      },
    ];
  }

  maps(index, layer = this.state.layer) {
    const key = `${index}/${layer}`;
    if (!this.unpacked.has(key)) {
      const packed = () =>
        new Maps(this.data.panels[index].maps[layer], this.frames, this.data.ways.length);
      const less = () =>
        new DifferenceMaps(this.maps(0, layer), this.maps(1, layer), this.data.columns);
      this.unpacked.set(key, index === "difference" ? less() : packed());
    }
    return this.unpacked.get(key);
  }

  means(index) {
    const { panels, columns } = this.data;
    if (index !== "difference") return panels[index].overview;
    return panels[0].overview.map((ways, layer) =>
      ways.map((values, way) =>
        values.map((value, frame) => value - panels[1].overview[layer][way][columns[frame]]),
      ),
    );
  }

  // ---- building the page

  build() {
    this.pause();
    this.root.querySelector(".gsl-viewer")?.remove();
    // What moves between frames is drawn where something can.
    this.moving = this.data.panels.some((panel) => panel.arrows !== null);
    const sections = ["strips", "all", "moves", "stage", "grid", "lines"].map((name) =>
      html("div", { className: `part ${name}` }),
    );
    [this.strips, this.all, this.moves, this.stage, this.grid, this.lines] = sections;
    const toolbar = this.toolbar();
    // Where layers move features, what they do comes first; where maps are of where a model looks,
    // the pictures do.
    const order = this.moving
      ? [this.strips, this.all, this.moves, toolbar, this.stage, this.grid, this.lines]
      : [this.strips, toolbar, this.grid, this.stage, this.lines, this.all];
    const headings = new Map([
      [this.all, "All layers"],
      [this.moves, "What moves"],
      [this.lines, "Over time at the chosen place"],
    ]);
    const parts = order.flatMap((part) =>
      headings.has(part) ? [this.heading(headings.get(part)), part] : [part],
    );
    this.body = html(
      "div",
      { className: "gsl-viewer", tabIndex: 0, onkeydown: (event) => this.key(event) },
      parts,
    );
    this.body.setAttribute("role", "group");
    this.body.setAttribute(
      "aria-label",
      "Frames with maps over them. Keys: " + KEYS.map((pair) => pair.join(" ")).join("; "),
    );
    this.root.append(this.body);
    this.buildStrips();
    this.draw();
  }

  heading(text) {
    const { notes } = this.data;
    const note = { "All layers": notes.overview, "What moves": notes.arrows }[text] ?? notes.curves;
    return html("div", { className: "heading" }, [
      html("h3", { textContent: text }),
      html("span", { textContent: note }),
    ]);
  }

  toolbar() {
    const button = (text, title, onclick) =>
      html("button", { type: "button", textContent: text, title, onclick });
    this.playButton = button("▶", "Play or pause (space)", () => this.toggle());
    this.frameSlider = html("input", {
      type: "range",
      min: 0,
      max: this.frames - 1,
      oninput: (event) => this.set({ frame: +event.target.value }),
    });
    this.opacitySlider = html("input", {
      type: "range",
      min: 0,
      max: 100,
      value: 100 * this.state.opacity,
      oninput: (event) => this.set({ opacity: event.target.value / 100 }),
    });
    this.layerSelect = html("select", {
      onchange: (event) => this.set({ layer: +event.target.value }),
    });
    this.layerSelect.append(
      ...this.data.layers.map((name, value) => html("option", { value, textContent: name })),
    );
    this.readout = html("output", { className: "readout" });
    const field = (text, input) =>
      html("label", { className: "field" }, [html("span", { textContent: text }), input]);
    const items = [
      this.playButton,
      field("Layer", this.layerSelect),
      (this.frameField = field("Frame", this.frameSlider)),
      field("Opacity", this.opacitySlider),
    ];
    if (this.data.scale.palettes.length > 1) {
      const colors = html("select", {
        onchange: (event) => this.set({ colors: +event.target.value }),
      });
      colors.append(
        ...this.data.scale.palettes.map(({ name }, value) =>
          html("option", { value, textContent: name, selected: value === this.state.colors }),
        ),
      );
      items.push(field("Colours", colors));
    }
    if (this.data.scale.fade) {
      const lines = html("input", {
        type: "checkbox",
        checked: this.state.lines,
        onchange: (event) => this.set({ lines: event.target.checked }),
      });
      items.push(
        html(
          "label",
          {
            className: "check",
            title: "Lines at a quarter, a half and three quarters of the scale, in place of colour",
          },
          [lines, "contours"],
        ),
      );
    }
    if (this.data.panels.length === 2) {
      this.differenceBox = html("input", {
        type: "checkbox",
        checked: this.state.difference,
        onchange: (event) => this.set({ difference: event.target.checked }),
      });
      items.push(
        html("label", { className: "check", title: this.data.notes.difference }, [
          this.differenceBox,
          "difference",
        ]),
      );
    }
    items.push(button("⤢", "Larger or smaller (z)", () => this.set({ large: !this.state.large })));
    const help = html("details", { className: "keys" }, [
      html("summary", { textContent: "keys", title: "What the keyboard does" }),
      html(
        "dl",
        {},
        KEYS.flatMap(([key, what]) => [
          html("dt", { textContent: key }),
          html("dd", { textContent: what }),
        ]),
      ),
    ]);
    this.bar = html("div", { className: "bar" });
    return html("div", { className: "toolbar" }, [...items, help, this.readout, this.bar]);
  }

  drawBar() {
    const { marks, name } = this.data.scale;
    const { low, high } = this.state.difference ? this.wide : this.scale;
    const { opposed, palettes } = this.data.scale;
    const stops = this.state.difference ? opposed : palettes[this.state.colors].stops;
    const place = (value) => `${(100 * (value - low)) / (high - low)}%`;
    const ramp = html("div", { className: "ramp" });
    ramp.style.background = `linear-gradient(to right, ${stops.join(",")})`;
    const texts = (
      this.state.difference
        ? [
            [low, ""],
            [0, "no difference"],
            [high, ""],
          ]
        : marks
    ).map(([value, text]) => {
      const number =
        value === 0
          ? "0"
          : signed(value)
              .replace(/\.?0+$/, "")
              .replace(low < 0 ? "" : "+", "");
      const mark = html("span", { textContent: `${number} ${text}`.trim() });
      mark.style.left = place(value);
      return mark;
    });
    this.bar.replaceChildren(
      html("div", {
        className: "name",
        textContent: this.state.difference ? `difference of ${name}s` : name,
      }),
      ramp,
      html("div", { className: "marks" }, texts),
    );
  }

  /** The clip's frames, once for every order in which they are shown. */
  buildStrips() {
    const seen = new Map();
    for (const panel of this.data.panels)
      seen.set(panel.pictures, [...(seen.get(panel.pictures) ?? []), panel]);
    this.thumbnails = [];
    const strips = [...seen].map(([set, panels]) => {
      const caption = html("div", {
        className: "caption",
        textContent: panels.map((panel) => panel.title).join(" and "),
      });
      const images = this.data.pictures[set].map((source, frame) => {
        const title = panels[0].captions[frame];
        const figure = html("figure", { onclick: () => this.set({ frame }) }, [
          html("img", { src: source, alt: title }),
          html("figcaption", { textContent: title }),
        ]);
        this.thumbnails.push([figure, frame]);
        return figure;
      });
      return html("div", {}, [caption, this.columns(images)]);
    });
    this.strips.replaceChildren(...strips);
  }

  columns(children) {
    const row = html("div", { className: "columns" }, children);
    row.style.setProperty("--frames", this.frames);
    return row;
  }

  // ---- drawing

  set(change) {
    const before = this.state;
    this.state = { ...before, ...change };
    if (this.state.colors !== before.colors) this.setScales();
    const redraw = ["layer", "difference", "colors", "lines"].some(
      (key) => this.state[key] !== before[key],
    );
    if (redraw) this.draw();
    else {
      if (this.state.frame !== before.frame) this.drawFrame();
      if (this.state.place !== before.place) this.drawPlace();
      this.drawLook();
    }
    if (this.state.layer !== before.layer) {
      clearTimeout(this.telling);
      this.telling = setTimeout(() => this.tell(this.data.layers[this.state.layer]), 300);
    }
  }

  draw() {
    const { layers, ways } = this.data;
    this.layerSelect.value = this.state.layer;
    if (this.differenceBox) this.differenceBox.checked = this.state.difference;
    this.drawBar();
    this.cells = [];
    this.grid.replaceChildren(...this.shown.map((panel) => this.panelGrid(panel, ways)));
    this.stages = [];
    this.stage.replaceChildren(
      html("h3", { textContent: layers[this.state.layer] }),
      ...this.shown.map((panel) => this.panelStage(panel, ways)),
    );
    this.drawFrame();
    this.drawPlace();
    this.drawLook();
  }

  heads(panel, text = panel.title) {
    const dot = html("span", { className: "dot", textContent: "●" });
    dot.style.color = panel.color;
    return html("div", { className: "caption" }, [dot, ` ${text}`]);
  }

  /** One picture with a map on it and a cursor; `read()` says what is under the cursor. */
  cell(panel, way, frame) {
    const canvas = html("canvas");
    const cross = html("div", { className: "cross" });
    const value = html("div", { className: "value" });
    const image = html("img", { alt: "", draggable: false });
    const picture = html("div", { className: "picture" }, [image, canvas, cross]);
    const place = (event) => placeIn(picture.getBoundingClientRect(), event.clientX, event.clientY);
    const cell = {
      panel,
      way,
      frame,
      canvas,
      cross,
      value,
      image,
      element: html("div", { className: "mapcell" }, [picture, value]),
    };
    canvas.classList.toggle("smooth", this.data.scale.fade);
    picture.addEventListener("pointermove", (event) => this.hover(place(event), cell));
    picture.addEventListener("pointerleave", () => this.hover(null, cell));
    picture.addEventListener("click", (event) =>
      this.set({ place: place(event), frame: cell.frame }),
    );
    return cell;
  }

  show(cell) {
    const { panel, way, frame } = cell;
    cell.image.src = this.data.pictures[panel.pictures][frame];
    cell.image.alt = panel.captions[frame];
    if (way === null) return;
    const draw = this.state.lines ? contours : paint;
    draw(cell.canvas, this.maps(panel.index), frame, way, panel.scale);
  }

  panelGrid(panel, ways) {
    const { values } = this.maps(panel.index);
    if (values?.every((value) => value === values[0])) {
      const what = values[0] === 0 ? this.data.notes.nothing : this.data.notes.same;
      return html("div", { className: "panel" }, [
        this.heads(panel, `${panel.title}: ${signed(values[0])} at every place and time, ${what}`),
      ]);
    }
    const rows = ways.map((name, way) => {
      const cells = panel.captions.map((_, frame) => this.cell(panel, way, frame));
      cells.forEach((cell) => this.show(cell));
      this.cells.push(...cells);
      const below = panel.below?.[this.state.layer];
      if (below && !this.state.difference)
        cells.forEach((cell, frame) =>
          cell.element.append(html("div", { className: "value below", textContent: below[frame] })),
        );
      return html("div", {}, [
        this.heads(panel, ways.length > 1 ? `${panel.title}, ${name}` : panel.title),
        this.columns(cells.map((cell) => cell.element)),
      ]);
    });
    return html("div", { className: "panel" }, rows);
  }

  panelStage(panel, ways) {
    const cells = [null, ...ways.keys()].map((way) => this.cell(panel, way, this.state.frame));
    this.stages.push(...cells);
    this.cells.push(...cells.filter((cell) => cell.way !== null));
    const names = ["the frame", ...ways];
    const figures = cells.map((cell, index) =>
      html("div", { className: "big" }, [
        html("div", { className: "caption", textContent: names[index] }),
        cell.element,
      ]),
    );
    return html("div", { className: "panel" }, [
      this.heads(panel),
      html("div", { className: "bigs" }, figures),
    ]);
  }

  drawFrame() {
    const { layers, ways } = this.data;
    const { frame, layer } = this.state;
    const choose = (row, column) => this.set({ layer: row, frame: column });
    const common = { layers, layer, frame, choose };
    this.frameSlider.value = frame;
    this.frameField.firstChild.textContent = this.shown[0].captions[frame];
    for (const [figure, at] of this.thumbnails) figure.classList.toggle("here", at === frame);
    for (const cell of this.stages) {
      cell.frame = frame;
      this.show(cell);
    }
    for (const cell of this.cells)
      cell.element.classList.toggle("here", cell.frame === frame && !this.stages.includes(cell));
    const overviews = this.shown.map((panel) => {
      const means = this.means(panel.index);
      const pictures = ways.map((title, way) =>
        overview(
          means.map((row) => row[way]),
          {
            ...common,
            title,
            mean: this.data.notes.mean,
            captions: panel.captions,
            scale: panel.scale,
          },
        ),
      );
      return html("div", { className: "panel" }, [
        this.heads(panel),
        html("div", { className: "pair" }, pictures),
      ]);
    });
    this.all.replaceChildren(...overviews);
    const moving = !this.moving
      ? []
      : this.data.panels.map((panel) => {
          const picture = diagram(panel.arrows, {
            ...common,
            title: "",
            captions: panel.captions,
            scale: this.scale,
          });
          return html("div", { className: "panel" }, [this.heads(panel), picture]);
        });
    this.moves.replaceChildren(...moving);
    this.drawPlace();
  }

  /** The cursor in every cell, its values, and the curves of the place that was chosen. */
  drawPlace() {
    this.hover(null);
    const { panels, ways } = this.data;
    const lines = panels.flatMap((panel, index) =>
      ways.map((way, number) => ({
        name: ways.length > 1 ? `${panel.title}, ${way}` : panel.title,
        style: lineStyle(number, ways.length, panel.color, panels.length),
        values: panel.captions.map((_, frame) =>
          this.maps(index).at(frame, number, ...this.state.place),
        ),
      })),
    );
    const legend = lines.map(({ name, style }) => html("span", {}, [lineKey(style), ` ${name}`]));
    const { low, high } = this.data.scale;
    const options = {
      captions: panels[0].captions,
      frame: this.state.frame,
      low,
      high,
      title: `${this.data.scale.name}: values over the frames at the chosen place`,
      width: Math.min(860, this.body.clientWidth || 720),
    };
    this.lines.replaceChildren(
      curves(lines, options),
      html("div", { className: "legend" }, legend),
    );
  }

  /** Show what is under `place` in every cell; `null` goes back to the chosen place. */
  hover(place, over) {
    const [x, y] = place ?? this.state.place;
    for (const cell of this.cells) {
      cell.cross.style.left = `${100 * x}%`;
      cell.cross.style.top = `${100 * y}%`;
      cell.value.textContent = signed(this.maps(cell.panel.index).at(cell.frame, cell.way, x, y));
    }
    for (const cell of this.stages) {
      cell.cross.style.left = `${100 * x}%`;
      cell.cross.style.top = `${100 * y}%`;
      if (cell.way === null) cell.value.textContent = cell.panel.captions[cell.frame];
    }
    const value =
      over && over.way !== null ? `${this.data.ways[over.way]}: ${over.value.textContent}` : "";
    this.readout.textContent =
      place && value
        ? `${this.data.layers[this.state.layer]}, ${over.panel.captions[over.frame]}, ${value}`
        : "";
  }

  drawLook() {
    this.body.style.setProperty("--opacity", this.state.opacity);
    this.body.classList.toggle("large", this.state.large);
    this.body.classList.toggle("many", this.shown.length > 1);
    this.opacitySlider.value = Math.round(100 * this.state.opacity);
  }

  // ---- playing and keys

  toggle() {
    if (this.playing) return this.pause();
    this.playButton.textContent = "❚❚";
    this.playing = setInterval(() => {
      if (!this.body.isConnected) return this.pause(); // the page was left
      this.set({ frame: frameAfter(this.state.frame, 1, this.frames) });
    }, shownFor(this.data.fps));
  }

  pause() {
    clearInterval(this.playing);
    this.playing = null;
    if (this.playButton) this.playButton.textContent = "▶";
  }

  key(event) {
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      ["INPUT", "SELECT", "SUMMARY"].includes(event.target.tagName)
    )
      return;
    if (event.key === " " && event.target.tagName === "BUTTON") return;
    const { layers, panels } = this.data;
    const shown = {
      layers: layers.length,
      frames: this.frames,
      panels: panels.length,
      map: this.maps(this.shown[0].index),
    };
    const change = changeBy(event.key, event.shiftKey, this.state, shown);
    if (change === null) return;
    if (change === "play") this.toggle();
    else this.set(change);
    event.preventDefault();
  }
}

const viewers = new WeakMap();

/** What streamlit calls with the page's data, at first and whenever they change. */
export default function show({ data, parentElement, setStateValue }) {
  if (!viewers.has(parentElement)) viewers.set(parentElement, new Viewer(parentElement));
  const viewer = viewers.get(parentElement);
  viewer.take(data, (layer) => setStateValue("layer", layer));
}
