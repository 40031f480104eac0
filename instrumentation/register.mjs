// Entry of --import: the agent, and what it needs to see into ES modules.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const agent = require('../dist/instrumentation/index.js');
if (agent.running) require('../dist/instrumentation/esm-hooks.js').installEsmHooks();
