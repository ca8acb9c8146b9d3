// Plane geometry in pixels: transforms as SVG writes them (a, b, c, d, e, f), polygons as lists of [x, y].

export const apply = ([a, b, c, d, e, f], [x, y]) => [a * x + c * y + e, b * x + d * y + f];
export function invert([a, b, c, d, e, f]) {
  const det = a * d - b * c;
  return [d / det, -b / det, -c / det, a / det, (c * f - d * e) / det, (b * e - a * f) / det];
}
export const moved = (points, dx, dy) => points.map(([x, y]) => [x + dx, y + dy]);
export function turned(points, degrees, [cx, cy] = centre(points)) {
  const angle = (degrees * Math.PI) / 180, cos = Math.cos(angle), sin = Math.sin(angle);
  return points.map(([x, y]) => [cx + cos * (x - cx) - sin * (y - cy), cy + sin * (x - cx) + cos * (y - cy)]);
}
export function centre(points) {
  const n = points.length;
  return [points.reduce((sum, p) => sum + p[0], 0) / n, points.reduce((sum, p) => sum + p[1], 0) / n];
}
export const pathOf = (points) => `M${points.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L")}Z`;
export const rounded = (points) => points.map(([x, y]) => [Math.round(x * 100) / 100, Math.round(y * 100) / 100]);

// The edge nearest to a point, as the number of the corner it begins at.
export function nearestEdge(points, [x, y]) {
  let best = 0, least = Infinity;
  points.forEach(([x0, y0], i) => {
    const [x1, y1] = points[(i + 1) % points.length];
    const length = (x1 - x0) ** 2 + (y1 - y0) ** 2 || 1;
    const t = Math.max(0, Math.min(1, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length));
    const distance = (x - x0 - t * (x1 - x0)) ** 2 + (y - y0 - t * (y1 - y0)) ** 2;
    if (distance < least) { least = distance; best = i; }
  });
  return best;
}

// A drawn region as corners: an ellipse of a region file becomes a polygon of 32, as soon as it is to be moved.
export function cornersOf(shape) {
  if (shape.type === "polygon") return shape.points;
  const angle = ((shape.rotation_deg ?? 0) * Math.PI) / 180, [cx, cy] = shape.centre, [a, b] = shape.radii;
  return Array.from({ length: 32 }, (_, i) => {
    const t = (i * Math.PI) / 16, u = a * Math.cos(t), v = b * Math.sin(t);
    return [cx + u * Math.cos(angle) - v * Math.sin(angle), cy + u * Math.sin(angle) + v * Math.cos(angle)];
  });
}
