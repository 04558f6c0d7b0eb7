// YAML or JSON text -> documents as plain data with positions, and a finding for each thing that cannot be read.
import { Composer, Parser } from 'yaml';
import type { Document } from 'yaml';
import { messages } from '../analyze/messages.js';
import type { Report } from '../analyze/report.js';
import type { LoadLimits } from './limits.js';
import type { PlainFault } from './plain-value.js';
import { toPlainDocument } from './plain-value.js';
import type { PositionTable } from './position-table.js';
import { LineTable } from './position-table.js';

export interface ReadDocument {
  readonly value: unknown;
  readonly positions: PositionTable;
}

/** More syntax errors of one document follow from the first ones. */
const errorsShown = 3;
// Helm, Jinja and ERB: `{{ … }}`, `{% … %}`, `<% … %>`.
const templateMark = /\{\{.*?\}\}|\{%.*?%\}|<%.*?%>/s;

// The composer recurses once a nesting level; it reports the end of the stack as an error of the document.
const stackIsFull = /call stack|stack overflow/i;

const composeOptions = {
  uniqueKeys: false,
  merge: false,
  prettyErrors: false,
  logLevel: 'silent',
  strict: true,
} as const;

/** A document with faults is left out; the documents beside it are read. Empty documents give nothing. */
export function* readDocuments(
  source: string,
  file: string | undefined,
  limits: LoadLimits,
  report: Report,
): Generator<ReadDocument> {
  // A byte order mark would shift the columns of the first line.
  const text = source.startsWith('\uFEFF') ? source.slice(1) : source;
  const lines = new LineTable(text);
  let count = 0;
  const place = (offset: number) => ({ file, position: lines.positionAt(offset) });
  try {
    for (const document of new Composer(composeOptions).compose(new Parser().parse(text), false, text.length)) {
      if (++count > limits.documentsPerFile) {
        report(messages.tooManyDocuments, place(document.range[0]), { limit: limits.documentsPerFile });
        return;
      }
      const plain = readOne(document, text, lines, limits, { place, report });
      if (plain) yield plain;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    report(messages.tooDeep, { file }, { limit: limits.nesting });
  }
}

interface Reporting {
  readonly report: Report;
  readonly place: (offset: number) => { file: string | undefined; position: { line: number; column: number } };
}

function readOne(
  document: Document.Parsed,
  text: string,
  lines: LineTable,
  limits: LoadLimits,
  { report, place }: Reporting,
) {
  const [start, end] = document.range;
  const template = () => templateMark.exec(text.slice(start, end))?.[0];
  // A warning is a tag that YAML cannot resolve: its value would be something else than what was meant.
  const errors = [...document.errors, ...document.warnings];
  if (errors.some(({ message }) => stackIsFull.test(message))) {
    report(messages.tooDeep, place(start), { limit: limits.nesting });
    return undefined;
  }
  if (errors.length > 0) {
    const mark = template();
    for (const { message, pos } of errors.slice(0, mark === undefined ? errorsShown : 1)) {
      if (mark === undefined) report(messages.yamlSyntax, place(pos[0]), { reason: message });
      else report(messages.templatedFile, place(pos[0]), { reason: `found ${firstLine(mark)}` }, 'render it first');
    }
    return undefined;
  }
  if (document.contents === null) return undefined;
  const plain = toPlainDocument(document, lines, limits);
  const [fault] = plain.faults;
  if (!fault) return plain.value === null ? undefined : plain;
  const mark = fault.kind === 'bad-key' ? template() : undefined;
  if (mark !== undefined)
    report(messages.templatedFile, place(fault.offset), { reason: `found ${firstLine(mark)}` }, 'render it first');
  else for (const each of plain.faults) reportFault(each, report, place);
  return undefined;
}

function reportFault(fault: PlainFault, report: Report, place: Reporting['place']): void {
  const where = place(fault.offset);
  switch (fault.kind) {
    case 'duplicate-key':
      return report(messages.duplicateKey, where, { key: fault.key });
    case 'bad-key':
      return report(messages.badKey, where, { got: fault.got });
    case 'too-many-values':
      return report(messages.tooManyNodes, where, { limit: fault.limit });
    case 'too-deep':
      return report(messages.tooDeep, where, { limit: fault.limit });
    case 'unknown-alias':
      return report(messages.yamlSyntax, where, { reason: `the alias *${fault.alias} has no anchor before it` });
  }
}

const firstLine = (text: string) => text.split('\n', 1)[0] ?? '';
