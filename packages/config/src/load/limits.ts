// What one reading may cost. Configuration can come from a volume that others write, so each limit is an error finding, not a crash.

export interface LoadLimits {
  readonly fileSizeBytes: number;
  readonly documentsPerFile: number;
  readonly valuesPerDocument: number;
  /** Values that exist only because an alias repeats them ("billion laughs"). */
  readonly aliasedValuesPerDocument: number;
  readonly nesting: number;
}

export const defaultLimits: LoadLimits = {
  fileSizeBytes: 64 * 1024 * 1024,
  documentsPerFile: 100_000,
  valuesPerDocument: 5_000_000,
  aliasedValuesPerDocument: 50_000,
  nesting: 100,
};
