// Compiling in steps, so that a large resource can be checked in slices.

/** Takes all steps at once. */
export function finish<Result>(steps: Generator<void, Result, void>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
