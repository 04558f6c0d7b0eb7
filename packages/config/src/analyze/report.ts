// Turns a table entry, its arguments and a place into a Finding. The only maker of findings.
import type { ConfigObject, FieldPath, Position } from '../model/config-object.js';
import { describeObject } from '../model/config-object.js';
import { formatFieldPath } from '../model/field-path.js';
import type { Finding } from '../model/finding.js';
import type { ArgumentsOf, Message } from './messages.js';

/** A place inside an object; no path means the object itself. */
export interface FieldPlace {
  readonly object: ConfigObject<unknown>;
  readonly path?: FieldPath | undefined;
}

/** A place in a file that holds no readable object. */
export interface FilePlace {
  readonly file: string | undefined;
  readonly position?: Position | undefined;
}

/** Analyzers speak through this; every message comes from the table. */
export type Report = <M extends Message>(
  message: M,
  place: FieldPlace | FilePlace,
  args: ArgumentsOf<M>,
  suggestion?: string,
) => void;

export function makeFinding<M extends Message>(
  message: M,
  place: FieldPlace | FilePlace,
  args: ArgumentsOf<M>,
  suggestion?: string,
): Finding {
  const where = 'object' in place ? inObject(place) : { file: place.file, position: place.position, field: '' };
  const { code, name, level, istioCode } = message;
  return {
    code,
    name,
    level,
    message: fill(message.template, { ...args, field: where.field }),
    ...('object' in place && { object: describeObject(place.object) }),
    ...(where.file !== undefined && { file: where.file }),
    ...(where.position && { position: where.position }),
    ...(where.field !== '' && { field: where.field }),
    ...(suggestion !== undefined && { suggestion }),
    ...(istioCode && { istioCode }),
  };
}

/** A report that appends to a list. */
export function collectInto(findings: Finding[]): Report {
  return (message, place, args, suggestion) => {
    findings.push(makeFinding(message, place, args, suggestion));
  };
}

/** `file:line:column`, as far as it is known. */
export function describePlace(object: ConfigObject<unknown>): string {
  const { file, position } = object.source;
  if (file === undefined) return 'an object built in code';
  return position ? `${file}:${position.line}:${position.column}` : file;
}

function inObject({ object, path = [] }: FieldPlace) {
  const { source } = object;
  return { file: source.file, position: source.positionOf(path) ?? source.position, field: formatFieldPath(path) };
}

function fill(template: string, args: Readonly<Record<string, string | number>>): string {
  const text = template.replace(/\{(\w+)\}/g, (_, name: string) => String(args[name] ?? ''));
  return args['field'] === '' ? text.replace(/^: /, '') : text;
}
