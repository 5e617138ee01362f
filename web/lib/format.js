// Numbers for people: three digits, the unit that fits, and a dash for what is not known. And parts of an address in clear.

const NONE = "–";
const known = (value) => value !== null && value !== undefined && Number.isFinite(value);

function digits(value, most = 3) {
  if (value === 0) return "0";
  const places = Math.max(0, most - 1 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString("en", { maximumFractionDigits: Math.min(places, 3), minimumFractionDigits: 0, useGrouping: true });
}

export function count(value) {
  return known(value) ? Math.round(value).toLocaleString("en") : NONE;
}

export function number(value) {
  return known(value) ? digits(value) : NONE;
}

/** µs -> µs, ms, s */
export function time(us) {
  if (!known(us)) return NONE;
  const size = Math.abs(us);
  if (size < 1_000) return `${digits(us)} µs`;
  if (size < 1_000_000) return `${digits(us / 1_000)} ms`;
  return `${digits(us / 1_000_000)} s`;
}

export function bytes(value) {
  if (!known(value)) return NONE;
  const units = ["B", "KiB", "MiB", "GiB"];
  let step = 0;
  while (Math.abs(value) >= 1_024 && step < units.length - 1) [value, step] = [value / 1_024, step + 1];
  return `${digits(value)} ${units[step]}`;
}

export function percent(share) {
  return known(share) ? `${digits(share * 100)} %` : NONE;
}

/** A part of an address; as it stands where its escapes say nothing. */
export function unescaped(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
