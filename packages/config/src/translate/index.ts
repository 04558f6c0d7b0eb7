// Translation of configuration to xDS.
export { Reuse } from './reuse.js';
export { translate } from './translate.js';
export type { OriginDetails, Translated, TranslatedResources } from './translated.js';
