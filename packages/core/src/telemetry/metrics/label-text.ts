// Label pairs as the Prometheus text format 0.0.4 writes them.

/** Escapes a label value: backslash, double quote, line feed. (Lone surrogates become U+FFFD when the text is encoded.) */
export function escapeLabelValue(value: string): string {
  return /[\\"\n]/.test(value) ? value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n') : value;
}

/** `a="1",b="2"`, in the order given. */
export function formatLabels(pairs: Iterable<readonly [string, string]>): string {
  let text = '';
  for (const [name, value] of pairs) {
    if (text !== '') text += ',';
    text += name + '="' + escapeLabelValue(value) + '"';
  }
  return text;
}
