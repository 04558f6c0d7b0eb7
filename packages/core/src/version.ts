// Heddle's own version; scripts/check.mjs holds it to package.json.
export const HEDDLE_VERSION = '0.1.0';
