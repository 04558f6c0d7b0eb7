// @heddle/core/testing: what tests of services and of adapters need: virtual time, seeded randomness, certificates.
export { VirtualClock } from './virtual-clock.js';
export { seededDraws } from '../draws.js';
export { testAuthority } from './test-certificates.js';
