// Envoy's format strings (`%REQ(x-user)%-%START_TIME%`) in header values: constants stay strings, operators become functions.
import type { CompileReport } from '../compile-report.js';
import type { FormatContext, HeaderOperation } from '../route-snapshot.js';
import { compileOperator } from './format-operators.js';

type Part = string | ((context: FormatContext) => string);

/** `%NAME%`, `%NAME(ARGUMENT)%`, `%NAME(ARGUMENT):LENGTH%`; `%%` is a percent sign. */
const OPERATOR = /%([A-Z][A-Z0-9_]*)(?:\(([^)]*)\))?(?::(\d+))?%/y;

/** Compiles a format; a malformed one, or an operator that Envoy does not know either, is a fault at `path`. */
export function compileFormat(format: string, path: string, report: CompileReport): HeaderOperation['value'] {
  if (!format.includes('%')) return format;
  const parts: Part[] = [];
  let literal = '';
  let position = 0;
  while (position < format.length) {
    if (format.charAt(position) !== '%') {
      literal += format.charAt(position++);
      continue;
    }
    if (format.charAt(position + 1) === '%') {
      literal += '%';
      position += 2;
      continue;
    }
    OPERATOR.lastIndex = position;
    const match = OPERATOR.exec(format);
    if (match === null) {
      report.fault(path, `malformed operator at character ${position + 1} of ${JSON.stringify(format)}`);
      return format;
    }
    const [whole, name = '', argument, length] = match;
    parts.push(literal, limited(compileOperator(name, argument, path, report), length));
    literal = '';
    position += whole.length;
  }
  parts.push(literal);
  return joined(parts.filter((part) => part !== ''));
}

function limited(operator: Part, length: string | undefined): Part {
  if (length === undefined || typeof operator === 'string') return operator;
  const limit = Number(length);
  return (context) => operator(context).slice(0, limit);
}

function joined(parts: readonly Part[]): HeaderOperation['value'] {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  if (parts.every((part) => typeof part === 'string')) return parts.join('');
  return (context) => {
    let text = '';
    for (const part of parts) text += typeof part === 'string' ? part : part(context);
    return text;
  };
}
