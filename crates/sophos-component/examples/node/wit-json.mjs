// Conversion of jco values to JSON with the names of the WIT.

export const toCamelCase = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
const toKebabCase = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Converts a jco value. `show` replaces resources. */
export function toWitJson(value, show = (resource) => resource) {
  const inner = (value) => toWitJson(value, show);
  if (value === undefined) return null;
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(inner);
  if (value === null || typeof value !== "object") return value;
  const shown = show(value);
  if (shown !== value) return inner(shown);
  if ("tag" in value) return { tag: value.tag, val: inner(value.val) };
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [toKebabCase(name), inner(member)]));
}
