// From values to colours and to text.

/** A colour scale from `low` to `high` with evenly spaced colour stops; with `fade` a colour is the
 * more transparent the nearer its value to 0. */
export class Scale {
  constructor(low, high, stops, fade) {
    Object.assign(this, {
      low,
      high,
      fade,
      stops: stops.map((hex) =>
        [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16)),
      ),
    });
  }
  rgb(value) {
    const share =
      Math.min(1, Math.max(0, (value - this.low) / (this.high - this.low))) *
      (this.stops.length - 1);
    const left = Math.min(Math.floor(share), this.stops.length - 2);
    return this.stops[left].map((from, channel) =>
      Math.round(from + (this.stops[left + 1][channel] - from) * (share - left)),
    );
  }
  alpha(value) {
    return this.fade ? Math.round(255 * Math.min(1, Math.abs(value) / this.high)) : 255;
  }
  css(value) {
    return `rgb(${this.rgb(value).join(",")})`;
  }
}

/** −0.5 → "−0.50", with a sign for all that is not shown as 0. */
export function signed(value) {
  const text = Math.abs(value).toFixed(2);
  return (text === "0.00" ? "" : value < 0 ? "−" : "+") + text;
}
