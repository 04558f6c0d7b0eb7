// strftime as far as Envoy's START_TIME uses it, always in UTC (Envoy: access logging, START_TIME; absl::FormatTime for %E3S).

type TimePart = string | ((date: Date) => string);

const pad = (value: number, width = 2) => String(value).padStart(width, '0');
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const SPECIFIERS: ReadonlyMap<string, (date: Date) => string> = new Map([
  ['Y', (date) => String(date.getUTCFullYear())],
  ['y', (date) => pad(date.getUTCFullYear() % 100)],
  ['m', (date) => pad(date.getUTCMonth() + 1)],
  ['d', (date) => pad(date.getUTCDate())],
  ['e', (date) => String(date.getUTCDate()).padStart(2, ' ')],
  ['H', (date) => pad(date.getUTCHours())],
  ['M', (date) => pad(date.getUTCMinutes())],
  ['S', (date) => pad(date.getUTCSeconds())],
  ['E3S', (date) => `${pad(date.getUTCSeconds())}.${pad(date.getUTCMilliseconds(), 3)}`],
  ['E6S', (date) => `${pad(date.getUTCSeconds())}.${pad(date.getUTCMilliseconds(), 3)}000`],
  ['f', (date) => `${pad(date.getUTCMilliseconds(), 3)}000000`],
  ['3f', (date) => pad(date.getUTCMilliseconds(), 3)],
  ['6f', (date) => `${pad(date.getUTCMilliseconds(), 3)}000`],
  ['9f', (date) => `${pad(date.getUTCMilliseconds(), 3)}000000`],
  ['s', (date) => String(Math.floor(date.getTime() / 1000))],
  ['F', (date) => date.toISOString().slice(0, 10)],
  ['T', (date) => date.toISOString().slice(11, 19)],
  ['R', (date) => date.toISOString().slice(11, 16)],
  ['a', (date) => DAYS[date.getUTCDay()] ?? ''],
  ['b', (date) => MONTHS[date.getUTCMonth()] ?? ''],
  ['z', () => '+0000'],
  ['Z', () => 'UTC'],
  ['%', () => '%'],
] satisfies [string, (date: Date) => string][]);

/** Compiles a format; a specifier that is not known stays as it was written. */
export function compileTimeFormat(format: string): (wallMs: number) => string {
  const parts: TimePart[] = format
    .split(/(%(?:E[36]S|[369]f|.))/)
    .map((piece) => (piece.startsWith('%') ? (SPECIFIERS.get(piece.slice(1)) ?? piece) : piece));
  return (wallMs) => {
    const date = new Date(wallMs);
    return parts.map((part) => (typeof part === 'string' ? part : part(date))).join('');
  };
}
