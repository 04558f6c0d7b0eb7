// Reads Prometheus text 0.0.4, for tests that look at what a scrape shows.

/** One line of an exposition. */
export interface Sample {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: number;
}

/** Reads the text format 0.0.4; throws on a line that is neither comment nor sample. */
export function parseExposition(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# ')) continue;
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null) throw new Error(`bad line: ${line}`);
    const labels: Record<string, string> = {};
    const rest = (match[2] ?? '').replace(
      /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/g,
      (_, name: string, value: string) => {
        labels[name] = value.replace(/\\(.)/g, (_all, escaped: string) => (escaped === 'n' ? '\n' : escaped));
        return '';
      },
    );
    if (rest !== '') throw new Error(`bad labels: ${line}`);
    samples.push({ name: match[1] ?? '', labels, value: Number(match[3]) });
  }
  return samples;
}
