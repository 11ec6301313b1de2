// Maps in the browser: from packed numbers to values at any position.

/** Base64 of little-endian int16 in ±32767 → Float32Array in ±1. */
export function unpack(base64) {
  const text = atob(base64);
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return Float32Array.from(new Int16Array(bytes.buffer), (value) => value / 32767);
}

/** A layer's maps of one panel: `at(frame, way, x, y)` reads the cell at x, y in 0 … 1. */
export class Maps {
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

/** One panel's maps less another's, cell by cell on the first's grid; `columns[frame]` is the
 * other's frame of the same picture. */
export class DifferenceMaps {
  constructor(first, second, columns) {
    Object.assign(this, {
      first,
      second,
      columns,
      height: first.height,
      width: first.width,
      frames: first.frames,
      ways: first.ways,
    });
  }
  cell(frame, way, row, column) {
    const there = this.second.at(
      this.columns[frame],
      way,
      (column + 0.5) / this.width,
      (row + 0.5) / this.height,
    );
    return this.first.cell(frame, way, row, column) - there;
  }
  at(frame, way, x, y) {
    return this.first.at(frame, way, x, y) - this.second.at(this.columns[frame], way, x, y);
  }
}

/** The two cells of `size` whose middles `position`, 0 … 1, lies between, and how far it is from
 * the first to the second. */
function neighbours(position, size) {
  const place = Math.min(size - 1, Math.max(0, position * size - 0.5));
  const first = Math.min(Math.floor(place), Math.max(0, size - 2));
  return [first, Math.min(first + 1, size - 1), place - first];
}

/** The map between the middles of its cells: bilinear. */
export function between(maps, frame, way, x, y) {
  const [left, right, across] = neighbours(x, maps.width);
  const [top, bottom, down] = neighbours(y, maps.height);
  const row = (number) =>
    maps.cell(frame, way, number, left) * (1 - across) +
    maps.cell(frame, way, number, right) * across;
  return row(top) * (1 - down) + row(bottom) * down;
}
