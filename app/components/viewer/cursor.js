// The place that is looked at, in shares of a picture's sides, and the frame that is shown.

/** A share of a side as one that lies in the picture. */
const inside = (share) => Math.min(0.999, Math.max(0, share));

/** The place under the pointer at `clientX`, `clientY`, of a picture with this box on the screen.
 * */
export function placeIn({ left, top, width, height }, clientX, clientY) {
  return [inside((clientX - left) / width), inside((clientY - top) / height)];
}

/** The place `right` and `down` cells of a map beside `place`. */
export function placeBeside([x, y], right, down, { width, height }) {
  return [inside(x + right / width), inside(y + down / height)];
}

/** The frame `by` after `frame` of `count`; after the last comes the first. */
export function frameAfter(frame, by, count) {
  return (frame + by + count) % count;
}

/** How long a frame is shown, in milliseconds, at `fps` frames a second. */
export function shownFor(fps) {
  return 1000 / fps;
}
