// SIGTERM: drain, then leave as the process would have left without us.

/**
 * Runs `drain` at the first SIGTERM. When nobody else listens for the signal, the process ends with exit code 0 afterwards; else ending it is
 * theirs. Returns the function that stops listening.
 */
export function onTerminate(drain: () => Promise<void>): () => void {
  const handler = (): void => {
    const alone = process.listenerCount('SIGTERM') === 1;
    void drain().finally(() => {
      if (alone) process.exit(0);
    });
  };
  process.once('SIGTERM', handler);
  return () => process.off('SIGTERM', handler);
}
