// Maps drawn into a canvas: a colour for every cell, or lines of equal value.

import { between } from "./maps.js";

/** Draw one map into a canvas of one pixel a cell; the browser scales it up. */
export function paint(canvas, maps, frame, way, scale) {
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

export const FINE = 112; // pixels a side of a picture of contours
const LEVELS = [0.25, 0.5, 0.75]; // of the scale's upper end, and of its lower one where it has one

/** Draw lines of equal value into a canvas. */
export function contours(canvas, maps, frame, way, scale) {
  canvas.width = canvas.height = FINE;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(FINE, FINE);
  const values = new Float32Array(FINE * FINE);
  for (let place = 0; place < values.length; place++) {
    values[place] = between(
      maps,
      frame,
      way,
      ((place % FINE) + 0.5) / FINE,
      (Math.floor(place / FINE) + 0.5) / FINE,
    );
  }
  const levels = LEVELS.map((level) => level * scale.high).concat(
    scale.low < 0 ? LEVELS.map((level) => level * scale.low) : [],
  );
  for (let row = 0; row < FINE - 1; row++) {
    for (let column = 0; column < FINE - 1; column++) {
      const place = row * FINE + column;
      for (const level of levels) {
        const above = values[place] >= level;
        if (above !== values[place + 1] >= level || above !== values[place + FINE] >= level)
          pixels.data.set([...scale.rgb(level), 255], 4 * place);
      }
    }
  }
  context.putImageData(pixels, 0, 0);
}
