// Maps in the browser: from packed numbers to values, and from values to colours.

/** Base64 of little-endian int16 in ±32767 → Float32Array in ±1. */
function unpack(base64) {
  const text = atob(base64);
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return Float32Array.from(new Int16Array(bytes.buffer), (value) => value / 32767);
}

/** A layer's maps of one panel: `at(frame, way, x, y)` reads the cell at x, y in 0 … 1. */
class Maps {
  constructor({ height, width, values }, frames, ways) {
    Object.assign(this, { height, width, frames, ways, values: unpack(values) });
  }
  cell(frame, way, row, column) {
    return this.values[((frame * this.ways + way) * this.height + row) * this.width + column];
  }
  at(frame, way, x, y) {
    const row = Math.min(this.height - 1, Math.max(0, Math.floor(y * this.height)));
    const column = Math.min(this.width - 1, Math.max(0, Math.floor(x * this.width)));
    return this.cell(frame, way, row, column);
  }
}

/** One panel's maps less another's, cell by cell on the first's grid; `columns[frame]` is the other's frame of the same picture. */
class DifferenceMaps {
  constructor(first, second, columns) {
    Object.assign(this, { first, second, columns, height: first.height, width: first.width, frames: first.frames, ways: first.ways });
  }
  cell(frame, way, row, column) {
    const there = this.second.at(this.columns[frame], way, (column + 0.5) / this.width, (row + 0.5) / this.height);
    return this.first.cell(frame, way, row, column) - there;
  }
  at(frame, way, x, y) {
    return this.first.at(frame, way, x, y) - this.second.at(this.columns[frame], way, x, y);
  }
}

/** A colour scale from `low` to `high` with evenly spaced colour stops; with `fade` it is the more transparent the nearer to 0. */
class Scale {
  constructor(low, high, stops, fade) {
    Object.assign(this, { low, high, fade, stops: stops.map((hex) => [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16))) });
  }
  rgb(value) {
    const share = Math.min(1, Math.max(0, (value - this.low) / (this.high - this.low))) * (this.stops.length - 1);
    const left = Math.min(Math.floor(share), this.stops.length - 2);
    return this.stops[left].map((from, channel) => Math.round(from + (this.stops[left + 1][channel] - from) * (share - left)));
  }
  alpha(value) {
    return this.fade ? Math.round(255 * Math.min(1, Math.abs(value) / this.high)) : 255;
  }
  css(value) {
    return `rgb(${this.rgb(value).join(",")})`;
  }
}

/** Draw one map into a canvas of one pixel a cell; the browser scales it up. */
function paint(canvas, maps, frame, way, scale) {
  canvas.width = maps.width;
  canvas.height = maps.height;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(maps.width, maps.height);
  for (let row = 0; row < maps.height; row++) {
    for (let column = 0; column < maps.width; column++) {
      const value = maps.cell(frame, way, row, column);
      pixels.data.set([...scale.rgb(value), scale.alpha(value)], 4 * (row * maps.width + column));
    }
  }
  context.putImageData(pixels, 0, 0);
}

const FINE = 112; // pixels a side of a picture of contours
const LEVELS = [0.25, 0.5, 0.75]; // of the scale's upper end, and of its lower one where it has one

/** The map between the middles of its cells: bilinear. */
function between(maps, frame, way, x, y) {
  const at = (position, size) => {
    const place = Math.min(size - 1, Math.max(0, position * size - 0.5));
    const first = Math.min(Math.floor(place), Math.max(0, size - 2));
    return [first, Math.min(first + 1, size - 1), place - first];
  };
  const [left, right, across] = at(x, maps.width);
  const [top, bottom, down] = at(y, maps.height);
  const row = (number) => maps.cell(frame, way, number, left) * (1 - across) + maps.cell(frame, way, number, right) * across;
  return row(top) * (1 - down) + row(bottom) * down;
}

/** Draw lines of equal value into a canvas. */
function contours(canvas, maps, frame, way, scale) {
  canvas.width = canvas.height = FINE;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(FINE, FINE);
  const values = new Float32Array(FINE * FINE);
  for (let place = 0; place < values.length; place++) {
    values[place] = between(maps, frame, way, ((place % FINE) + 0.5) / FINE, (Math.floor(place / FINE) + 0.5) / FINE);
  }
  const levels = LEVELS.map((level) => level * scale.high).concat(scale.low < 0 ? LEVELS.map((level) => level * scale.low) : []);
  for (let row = 0; row < FINE - 1; row++) {
    for (let column = 0; column < FINE - 1; column++) {
      const place = row * FINE + column;
      for (const level of levels) {
        const above = values[place] >= level;
        if (above !== values[place + 1] >= level || above !== values[place + FINE] >= level) pixels.data.set([...scale.rgb(level), 255], 4 * place);
      }
    }
  }
  context.putImageData(pixels, 0, 0);
}

/** −0.5 → "−0.50", with a sign for all that is not shown as 0. */
function signed(value) {
  const text = Math.abs(value).toFixed(2);
  return (text === "0.00" ? "" : value < 0 ? "−" : "+") + text;
}
