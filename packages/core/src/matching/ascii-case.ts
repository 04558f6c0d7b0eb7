// Case folding of ASCII letters only, as Envoy's matchers fold: `À` and the Kelvin sign stay what they are.

const UPPER = /[A-Z]/;
const NON_ASCII = /[^\0-\x7f]/;
const UPPER_RUN = /[A-Z]+/g;

/** The text with A-Z lowered. Text without capitals is returned as it is. */
export function asciiLower(text: string): string {
  if (!UPPER.test(text)) return text;
  return NON_ASCII.test(text) ? text.replace(UPPER_RUN, (run) => run.toLowerCase()) : text.toLowerCase();
}
