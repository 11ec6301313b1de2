// What the keyboard does.

import { frameAfter, placeBeside } from "./cursor.js";

export const KEYS = [
  ["space", "play or pause"],
  ["← →", "the frame before or after"],
  ["↑ ↓", "the layer above or below"],
  ["1 … 9", "one of the first nine layers"],
  ["shift + arrows", "move the place by one cell"],
  ["z", "larger or smaller"],
  ["d", "the difference of two models or orders"],
];

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** What a key changes of the viewer's state, `"play"` for the key that plays and pauses, or null.
 * The place moves by the cells of `map`. */
export function changeBy(
  key,
  shift,
  { layer, frame, place, large, difference },
  { layers, frames, panels, map },
) {
  if (key in ARROWS) {
    const [right, down] = ARROWS[key];
    if (shift) return { place: placeBeside(place, right, down, map) };
    return {
      frame: frameAfter(frame, right, frames),
      layer: Math.min(layers - 1, Math.max(0, layer + down)),
    };
  }
  if (key === " ") return "play";
  if (key >= "1" && key <= "9" && +key <= layers) return { layer: +key - 1 };
  if (key === "z") return { large: !large };
  if (key === "d" && panels === 2) return { difference: !difference };
  return null;
}
