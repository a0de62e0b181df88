/**
 * Which colour a point of the map has, by a value of its document. Numbers of which there are many are put into ranges
 * with as many points each; of all else each frequent value has a colour of its own. Of a list the first value counts.
 */
import { count } from "./format.js";

const COLOURS = 7;
const RANGES = 5;
const FEWEST_FOR_RANGES = 9;

/**
 * The colours of these points. `classOf(point)` is a class name of indexes.css; `legend` lists { name, label, points } in
 * the order in which it is to be read, and is empty where all points are alike.
 */
export function colouring(points, attribute) {
  if (!attribute) return { classOf: () => "c0", legend: [] };
  const numbers = points.map(valueOf).filter((value) => typeof value === "number");
  const areNumbers = numbers.length > 0 && points.every((point) => ["number", "undefined"].includes(typeof valueOf(point)));
  return areNumbers && new Set(numbers).size >= FEWEST_FOR_RANGES ? byRanges(points, numbers) : byValues(points);
}

function valueOf(point) {
  const value = Array.isArray(point.attribute) ? point.attribute[0] : point.attribute;
  return value === null ? undefined : value;
}

function byRanges(points, numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  const bounds = Array.from({ length: RANGES - 1 }, (_, place) => sorted[Math.floor(((place + 1) * sorted.length) / RANGES)]);
  const starts = [...new Set([sorted[0], ...bounds])];
  const rangeOf = (value) => starts.findLastIndex((start) => value >= start);
  const classOf = (point) => {
    const value = valueOf(point);
    return value === undefined ? "none" : `r${rangeOf(value)}`;
  };
  const labels = starts.map((start, place) => {
    const inside = sorted.filter((value) => rangeOf(value) === place);
    return inside[0] === inside.at(-1) ? brief(start) : `${brief(inside[0])} – ${brief(inside.at(-1))}`;
  });
  const entries = labels.map((label, place) => ({ name: `r${place}`, label }));
  return { classOf, legend: legendOf(points, classOf, [...entries, { name: "none", label: "no value" }]) };
}

function byValues(points) {
  const counts = new Map();
  for (const point of points) {
    const value = valueOf(point);
    if (value !== undefined) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  }
  const frequent = [...counts].sort(([one, ofOne], [other, ofOther]) => ofOther - ofOne || one.localeCompare(other));
  const named = frequent.slice(0, COLOURS).map(([value]) => value);
  const classOf = (point) => {
    const value = valueOf(point);
    if (value === undefined) return "none";
    const place = named.indexOf(String(value));
    return place < 0 ? "rest" : `c${place}`;
  };
  const entries = named.map((label, place) => ({ name: `c${place}`, label }));
  const rest = { name: "rest", label: `${count(frequent.length - named.length)} other values` };
  return { classOf, legend: legendOf(points, classOf, [...entries, rest, { name: "none", label: "no value" }]) };
}

function legendOf(points, classOf, entries) {
  const counts = new Map();
  for (const point of points) counts.set(classOf(point), (counts.get(classOf(point)) ?? 0) + 1);
  return entries.filter(({ name }) => counts.has(name)).map((entry) => ({ ...entry, points: counts.get(entry.name) }));
}

function brief(number) {
  return Number.isInteger(number) ? String(number) : number.toPrecision(3);
}
