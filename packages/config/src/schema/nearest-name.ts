// "Did you mean": the candidate nearest to a misspelt name, by Damerau-Levenshtein distance (a swap of neighbours counts as one).

/** The nearest candidate, or undefined when none is near enough to be a likely slip. Case is ignored in the distance. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  // A third of the letters may be wrong, as compilers allow; one letter in short names.
  const limit = Math.max(1, Math.floor(name.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance && candidate !== name) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** The suggestion as text, or undefined when no candidate is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const near = nearestName(name, candidates);
  return near === undefined ? undefined : `did you mean \`${near}\`?`;
}

/** Optimal string alignment distance; gives up with `stopAt` as soon as no shorter one is possible. */
export function editDistance(a: string, b: string, stopAt = Infinity): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let smallest = i;
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let value = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) value = Math.min(value, (beforeLast[j - 2] ?? 0) + 1);
      row.push(value);
      smallest = Math.min(smallest, value);
    }
    if (smallest >= stopAt) return stopAt;
    [beforeLast, last] = [last, row];
  }
  return Math.min(last[b.length] ?? 0, stopAt);
}
