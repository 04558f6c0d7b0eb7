// Translation of configuration to xDS.
export { Reuse } from './reuse.js';
export { translate } from './translate.js';
export type { Translated, TranslatedResources } from './translated.js';
