/** Where points of the plane are on the screen: the whole of them fitted in, or a part enlarged. No elements here. */

const MARGIN = 18;
const LARGEST_ZOOM = 40;

/** The view of points with `x` and `y`, x to the right and y upwards, both to the same scale. */
export class View {
  constructor(points) {
    this.points = points;
    this.bounds = boundsOf(points);
    this.resize(1, 1);
    this.reset();
  }

  /** The drawing is so many pixels wide and high now. */
  resize(width, height) {
    this.width = width;
    this.height = height;
  }

  /** Show all points. */
  reset() {
    this.zoom = 1;
    this.centre = { x: (this.bounds.left + this.bounds.right) / 2, y: (this.bounds.low + this.bounds.high) / 2 };
  }

  get isWhole() {
    return this.zoom === 1;
  }

  /** Pixels for one unit of the plane. */
  get scale() {
    const { left, right, low, high } = this.bounds;
    const across = (this.width - 2 * MARGIN) / Math.max(right - left, 1e-9);
    const down = (this.height - 2 * MARGIN) / Math.max(high - low, 1e-9);
    return Math.max(Math.min(across, down, 1e7), 1e-9) * this.zoom;
  }

  /** A point's pixels from the left and from the top. */
  place({ x, y }) {
    return [this.width / 2 + (x - this.centre.x) * this.scale, this.height / 2 - (y - this.centre.y) * this.scale];
  }

  /** Enlarge by that factor; the spot at these pixels stays where it is. */
  enlarge(factor, left = this.width / 2, top = this.height / 2) {
    const before = this.scale;
    this.zoom = Math.min(Math.max(this.zoom * factor, 1), LARGEST_ZOOM);
    if (this.isWhole) return this.reset();
    const change = 1 / before - 1 / this.scale;
    this.centre = {
      x: this.centre.x + (left - this.width / 2) * change,
      y: this.centre.y - (top - this.height / 2) * change,
    };
  }

  /** Move what is seen by so many pixels. */
  shift(right, down) {
    this.centre = { x: this.centre.x - right / this.scale, y: this.centre.y + down / this.scale };
  }

  /** Move as little as makes the point be seen. */
  bringIn(point) {
    const [left, top] = this.place(point);
    const across = Math.min(Math.max(left, MARGIN), this.width - MARGIN) - left;
    const down = Math.min(Math.max(top, MARGIN), this.height - MARGIN) - top;
    this.shift(across, down);
  }

  /** The number of the point nearest to these pixels, -1 where none is within `reach`. */
  nearest(left, top, reach) {
    let best = -1;
    let least = reach * reach;
    this.points.forEach((point, number) => {
      const [across, down] = this.place(point);
      const distance = (across - left) ** 2 + (down - top) ** 2;
      if (distance <= least) [best, least] = [number, distance];
    });
    return best;
  }

  /** The number of the next point from that one to the left, right, up or down; the same where there is none. */
  next(from, direction) {
    const [right, up] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[direction];
    let best = from;
    let least = Infinity;
    this.points.forEach((point, number) => {
      const across = point.x - this.points[from].x;
      const upwards = point.y - this.points[from].y;
      const ahead = across * right + upwards * up;
      const aside = Math.abs(across * up) + Math.abs(upwards * right);
      // What lies straight ahead comes before what lies as far to the side.
      const distance = ahead + 2 * aside;
      if (ahead > 0 && aside <= 2 * ahead && distance < least) [best, least] = [number, distance];
    });
    return best;
  }
}

function boundsOf(points) {
  const bounds = { left: Infinity, right: -Infinity, low: Infinity, high: -Infinity };
  for (const { x, y } of points) {
    bounds.left = Math.min(bounds.left, x);
    bounds.right = Math.max(bounds.right, x);
    bounds.low = Math.min(bounds.low, y);
    bounds.high = Math.max(bounds.high, y);
  }
  return points.length > 0 ? bounds : { left: 0, right: 0, low: 0, high: 0 };
}
