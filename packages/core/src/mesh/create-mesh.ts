// createMesh: options and environment -> feed and identity -> a mesh that is ready.
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemClock } from '../clock.js';
import { seededDraws } from '../draws.js';
import { Mesh } from './mesh.js';
import type { MeshOptions } from './mesh-options.js';
import { settingsFrom } from './mesh-settings.js';
import { openFeed } from './open-feed.js';
import { openIdentity } from './open-identity.js';
import { openRooms } from './open-rooms.js';

/**
 * Joins the mesh. Without arguments everything comes from the environment (docs/reference/environment.md).
 * Resolves when the first complete configuration and, where one is needed, the first certificate are in force.
 * Rejects with MeshError: CONFIG_INVALID (naming the option or variable), FEED_UNAVAILABLE or IDENTITY_UNAVAILABLE (naming what was awaited).
 */
export async function createMesh(options: MeshOptions = {}): Promise<Mesh> {
  const settings = settingsFrom(options, { env: process.env, hostname: hostname(), fileExists: existsSync });
  const clock = options.clock ?? systemClock;
  const draws = options.draws ?? seededDraws(Date.now() ^ process.pid);
  const [feed, identity] = await Promise.all([
    openFeed({ settings, clock, draws }),
    openIdentity({ settings, clock, draws }),
  ]);
  const mesh = new Mesh(openRooms({ settings, options, feed, identity }));
  try {
    await mesh.startEndpoints();
    if (settings.startTimeoutMs > 0) await mesh.ready({ timeoutMs: settings.startTimeoutMs });
  } catch (error) {
    await mesh.close({ drainMs: 0 });
    throw error;
  }
  return mesh;
}
