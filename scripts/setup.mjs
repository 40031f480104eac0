// Installs the servers that tests and the demo run against, on a Debian machine where it may; elsewhere it says what
// is missing. Always ends with status 0: a test that needs a missing server fails by itself and names it.
//   node scripts/setup.mjs                 everything
//   node scripts/setup.mjs redis-server    only these Debian packages
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian package -> the programs it gives, and what they are for. */
const packages = {
  'redis-server': { programs: ['redis-server'], purpose: 'the Redis of tests and demo' },
  prometheus: { programs: ['prometheus', 'promtool'], purpose: 'scrapes and rule checks in tests' },
  'prometheus-alertmanager': {
    programs: ['prometheus-alertmanager', 'amtool'],
    purpose: 'routes and notifications of alerts in tests',
  },
  chromium: { programs: ['chromium'], purpose: 'the status page in the long tests' },
};

const installTimeoutMs = 8 * 60_000;
const lockTimeoutSeconds = 120;

const wanted = process.argv.slice(2);
const unknown = wanted.filter(name => !(name in packages));
if (unknown.length > 0) {
  console.error(`setup: unknown package ${unknown.join(', ')}; known: ${Object.keys(packages).join(', ')}`);
  process.exit(2);
}

const missing = (wanted.length > 0 ? wanted : Object.keys(packages)).filter(
  name => !packages[name].programs.every(onPath),
);
if (missing.length > 0) {
  const refusal = whyNotInstall();
  if (refusal === undefined) install(missing);
  const left = missing.filter(name => !packages[name].programs.every(onPath));
  if (left.length > 0) {
    for (const name of left) console.error(`setup: missing ${name} (${packages[name].purpose})`);
    console.error(`setup: ${refusal ?? 'apt-get did not install it'}; install it yourself, on Debian:`);
    console.error(`setup:   sudo apt-get install --no-install-recommends ${left.join(' ')}`);
  }
}

function onPath(program) {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin', '/usr/local/bin'].some(
    folder => {
      try {
        accessSync(join(folder, program), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    },
  );
}

/** Why this process may not install packages, or undefined where it may. */
function whyNotInstall() {
  if (process.platform !== 'linux' || !existsSync('/etc/debian_version') || !onPath('apt-get')) {
    return 'this is not a Debian machine';
  }
  if (process.getuid() !== 0) return 'installing needs root';
  return undefined;
}

function install(names) {
  console.log(`setup: installing ${names.join(', ')}`);
  const restore = keepServicesStopped();
  try {
    if (!hasPackageLists()) apt(['update']);
    if (apt(['install', ...names])) return;
    // A list may be older than the mirror, which then no longer has the named file.
    apt(['update']);
    apt(['install', ...names], true);
  } finally {
    restore();
  }
}

function hasPackageLists() {
  try {
    return readdirSync('/var/lib/apt/lists').some(file => file.includes('_Packages'));
  } catch {
    return false;
  }
}

/** Runs apt-get and returns whether it worked; `loud` shows its output when it did not. */
function apt([command, ...names], loud = false) {
  const options = ['-q', '-y', '-o', `DPkg::Lock::Timeout=${lockTimeoutSeconds}`, '-o', 'Acquire::Retries=2'];
  if (command === 'install') options.push('--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold');
  const { status, error, stdout, stderr } = spawnSync('apt-get', [...options, command, ...names], {
    encoding: 'utf8',
    timeout: installTimeoutMs,
    maxBuffer: 64 << 20,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  });
  if (status === 0) return true;
  if (loud) console.error(`setup: apt-get ${command} failed: ${error?.message ?? ''}\n${stdout}${stderr}`);
  return false;
}

/**
 * Debian starts a server on installation. A policy that answers 101 ("action forbidden") keeps it stopped:
 * https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt. A policy that is there already stays.
 */
function keepServicesStopped() {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return () => {};
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return () => rmSync(policy, { force: true });
}
