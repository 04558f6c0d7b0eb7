// The default logger: one JSON line an event on standard error, in pino's shape (level, time, msg). A user's own logger takes its place.
import type { LogLevel, MeshLogger } from './mesh-options.js';

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const;

/** Writes lines of `level` and above. `write` gets one line with its newline. */
export function lineLogger(level: LogLevel, wallMs: () => number, write: (line: string) => void): MeshLogger {
  const threshold = level === 'silent' ? Infinity : LEVELS[level];
  const logAt = (name: keyof typeof LEVELS) => (fields: object, message: string) => {
    if (LEVELS[name] < threshold) return;
    write(`${JSON.stringify({ level: LEVELS[name], time: wallMs(), name: 'heddle', ...fields, msg: message })}\n`);
  };
  return { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') };
}

/** The logger that the option names, or the user's own. */
export function loggerFrom(option: LogLevel | MeshLogger, wallMs: () => number): MeshLogger {
  if (typeof option !== 'string') return option;
  return lineLogger(option, wallMs, (line) => process.stderr.write(line));
}
