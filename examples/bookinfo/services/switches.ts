// Lets the demo break this service on purpose: `{ failRate: 0.3 }` makes 30 % of its answers fail. Real services have no such thing.
const state = { failRate: 0 };

process.on('message', (message: { failRate?: number }) => {
  if (typeof message.failRate === 'number') state.failRate = message.failRate;
});

/** True when this answer shall fail. */
export function fails(): boolean {
  return Math.random() < state.failRate;
}
