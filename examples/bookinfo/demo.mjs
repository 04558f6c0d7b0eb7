// `npm run demo`: the whole mesh from one command. The work is in story/.
import { main } from './dist/story/main.js';

process.exitCode = await main(process.argv.slice(2));
