import { describe, expect, it } from 'vitest';
import { controlPlaneName } from './control-plane-name.js';
import { settingsFrom } from './mesh-settings.js';

const settings = (identity: 'istio-ca' | 'heddle-ca') =>
  settingsFrom({ identity, feed: 'xds://127.0.0.1:15010' }, { env: {}, hostname: 'h', fileExists: () => false });

describe('the name that a control plane must prove', () => {
  it.each(['127.0.0.1:15012', '[::1]:15012', '10.0.0.7:15012', 'localhost:15012'])('is istiod for %s', (address) => {
    expect(controlPlaneName(settings('istio-ca'), address)).toBe('istiod.istio-system.svc');
  });

  it('is the host that was dialled everywhere else', () => {
    expect(controlPlaneName(settings('istio-ca'), 'istiod-canary.istio-system.svc:15012')).toBeUndefined();
    expect(controlPlaneName(settings('heddle-ca'), '127.0.0.1:15012')).toBeUndefined();
  });
});
