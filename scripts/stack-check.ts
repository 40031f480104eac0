// npm run stack:check: says what is wrong with docker-compose.yml and the files it mounts, and ends with status 1.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stackProblems } from './stack/check';

const root = join(__dirname, '..');
const problems = stackProblems({
  exists: path => existsSync(join(root, path)),
  read: path => readFileSync(join(root, path), 'utf8'),
  list: folder => readdirSync(join(root, folder)),
});
for (const problem of problems) console.error(`stack: ${problem}`);
if (problems.length === 0) console.log('stack: nothing wrong');
process.exitCode = problems.length > 0 ? 1 : 0;
