// `node --import @heddle/core/register app.js`: the application joins the mesh without a change to its code. Everything comes from the environment. When
// the mesh can't be joined (no configuration, no certificate) the process ends with the reason before the application starts: never unprotected.
import { isMainThread } from 'node:worker_threads';
import { createMesh } from '../create-mesh.js';
import { joinProcess } from './join-process.js';
import { withQuietConnections } from './quiet-connections.js';

// Worker threads inherit `--import`. They compute for the process; its identity, its feed and its servers belong to the main thread.
if (isMainThread) joinProcess(await withQuietConnections(() => createMesh()));
