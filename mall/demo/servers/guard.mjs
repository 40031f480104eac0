// Ends what a process left behind: its parent tells it line by line what it has started, and the end of the input
// means that the parent is gone. A parent that ends in order leaves nothing to do.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const graceMs = 5000;
/** A server elsewhere may be slow to answer, and nobody waits here. */
const scriptMs = 60_000;
const left = new Map();

for await (const line of createInterface({ input: process.stdin })) {
  const { id, orphan } = JSON.parse(line);
  if (orphan) left.set(id, orphan);
  else left.delete(id);
}

// The last started first, as each may use those before it.
const orphans = [...left.values()].reverse();
for (const { pid, signal } of orphans) if (pid !== undefined) await end(pid, signal);
for (const { folder } of orphans) if (folder !== undefined) await remove(folder);
for (const { script, cwd, env } of orphans) {
  if (script === undefined) continue;
  spawnSync(process.execPath, ['-e', script], { cwd, env: { ...process.env, ...env }, timeout: scriptMs });
}

async function end(pid, signal) {
  const deadline = Date.now() + graceMs;
  for (let sent = signal; send(pid, sent); sent = Date.now() > deadline ? 'SIGKILL' : 0) {
    if (Date.now() > 2 * deadline) return;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

/** Patient with files that a dying process still writes. */
async function remove(folder) {
  for (const deadline = Date.now() + graceMs; Date.now() < deadline; ) {
    try {
      return rmSync(folder, { recursive: true, force: true });
    } catch {
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }
}

/** False when there is no such process, or one that has ended and whose new parent, as in many containers, looks away. */
function send(pid, signal) {
  try {
    if (process.platform === 'linux' && / Z /.test(readFileSync(`/proc/${Math.abs(pid)}/stat`, 'latin1')))
      return false;
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
