import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import {
  type AppOptions,
  type Exit,
  folderWith,
  nodeBinary,
  preload,
  register,
  runApp,
  startApp,
} from '../helpers/app';
import { samplesFrom } from '../helpers/samples';

const files = folderWith({
  'package.json': '{"name": "shop-front", "version": "3.2.1"}',
  'prints.js': 'console.log("ran " + process.argv.slice(2).join())',
  'prints.mjs':
    'console.log("ran"); await new Promise(resolve => setTimeout(resolve, 10)); console.log("on")',
  'typescript.ts': 'const answer: number = 42; console.log(answer satisfies number)',
  'test/first.test.js': `const test = require('node:test'); test('passes', () => {});`,
  'test/second.test.js': `const test = require('node:test'); test('fails', () => { throw new Error('as told'); });`,
  'server.js': `
    require('node:http').createServer((q, r) => r.end('hello')).listen(0, '127.0.0.1', function () {
      console.log('listening on ' + this.address().port);
    });`,
  'evaluates.js': `
    let verdict = 'allowed';
    try { new Function('return 1')(); } catch (error) { verdict = error.name; }
    console.log(verdict);
    require('node:http').createServer((q, r) => r.end('hello')).listen(0, '127.0.0.1', () => console.log('up'));`,
});

const [major, minor] = execFileSync(nodeBinary, ['-p', 'process.versions.node'], { encoding: 'utf8' })
  .split('.')
  .map(Number) as [number, number];
const agentFlags = { '--require': preload, '--import': register };

/** Runs the same with and without the agent, and expects the same of both. */
async function sameAsBare(
  script: string | readonly string[],
  options: AppOptions & { flags?: readonly string[]; stdin?: string } = {},
): Promise<Exit> {
  const { flags = [], ...rest } = options;
  const [bare, exit] = await Promise.all([
    runApp(script, { ...rest, nodeArgs: flags }),
    runApp(script, { ...rest, nodeArgs: ['--require', preload, '--import', register, ...flags] }),
  ]);
  assert.deepEqual([exit.code, exit.signal, exit.stdout], [bare.code, bare.signal, bare.stdout], exit.stderr);
  return exit;
}

/** Lines of the agent on stderr. */
const said = (stderr: string): string[] => stderr.split('\n').filter(line => line.startsWith('otel-vitals'));

describe('ways to run a script', { concurrency: 3 }, () => {
  test('node -e runs the code', async () => {
    assert.equal((await sameAsBare(['-e', 'console.log("ran")'])).stdout, 'ran\n');
  });

  test('node -p prints the value', async () => {
    assert.equal((await sameAsBare(['-p', '[6 * 7]'])).stdout, '[ 42 ]\n');
  });

  test('node -e takes arguments that look like a tool', async () => {
    assert.equal(
      (await sameAsBare(['-e', 'console.log(process.argv[1])'], { args: ['npm'] })).stdout,
      'npm\n',
    );
  });

  test('node --input-type=module -e runs the code', async () => {
    const code = 'import { sep } from "node:path"; console.log(sep)';
    assert.equal((await sameAsBare(['-e', code], { flags: ['--input-type=module'] })).stdout, '/\n');
  });

  for (const [what, args] of [
    ['node - runs a script from stdin', ['-', 'an argument']],
    ['node without a script runs one from stdin', []],
    ['the REPL answers', ['-i']],
  ] as const) {
    test(what, async () => {
      const run = (nodeArgs: readonly string[]) => withStdin([...nodeArgs, ...args], 'console.log(6 * 7)\n');
      const [bare, under] = await Promise.all([run([]), run(['--require', preload])]);
      assert.deepEqual([under.code, under.stdout], [bare.code, bare.stdout], under.stderr);
      assert.match(under.stdout, /42/);
    });
  }

  test('an ES module with top-level await runs to its end', async () => {
    assert.equal((await sameAsBare(files.path('prints.mjs'))).stdout, 'ran\non\n');
  });

  test('--check checks the syntax, and the agent says nothing', async () => {
    const exit = await sameAsBare(files.path('prints.js'), { flags: ['--check'] });
    assert.deepEqual(said(exit.stderr), []);
  });

  const strips = major > 23 || (major === 22 && minor >= 18);
  test('TypeScript is run as Node.js runs it', {
    skip: strips ? false : `Node.js ${major}.${minor} runs no TypeScript`,
  }, async () => {
    assert.equal((await sameAsBare(files.path('typescript.ts'))).stdout, '42\n');
  });

  test('tsx runs TypeScript in the process that it starts, which alone has the agent', async () => {
    const exit = await runApp(require.resolve('tsx/cli'), {
      nodeArgs: [],
      args: [files.path('typescript.ts')],
      env: { NODE_OPTIONS: `--require ${preload}`, OTEL_LOG_LEVEL: 'info' },
    });
    assert.equal(exit.stdout, '42\n', exit.stderr);
    assert.equal(exit.stderr.match(/started in/g)?.length, 1, exit.stderr);
  });

  test('the test runner reports as without the agent', async () => {
    const args = ['--test-reporter=tap', files.path('test/first.test.js'), files.path('test/second.test.js')];
    const run = (nodeArgs: readonly string[]) => runApp(['--test', ...args], { nodeArgs, cwd: files.dir });
    const [bare, under] = [await run([]), await run(['--require', preload])];
    const results = (text: string): string[] => text.match(/^(?:not )?ok .*|^# (?:pass|fail) .*/gm) ?? [];
    assert.equal(under.code, bare.code, under.stderr);
    assert.deepEqual(results(under.stdout), results(bare.stdout));
    assert.ok(results(bare.stdout).length >= 4, bare.stdout);
    assert.deepEqual(said(under.stderr), [], 'the runner itself has no agent');
  });
});

describe('restrictive flags', { concurrency: 3 }, () => {
  // From Node.js 23.5; 20 and 22 call it experimental.
  const permission = major >= 24 ? '--permission' : '--experimental-permission';
  for (const [how, flag] of Object.entries(agentFlags)) {
    for (const flags of [
      ['--disallow-code-generation-from-strings'],
      ['--frozen-intrinsics'],
      ['--disable-proto=delete'],
      ['--disable-proto=throw'],
      ['--no-deprecation', '--throw-deprecation'],
      ['--unhandled-rejections=strict'],
      ['--enable-source-maps'],
      ['--no-addons'],
      ['--preserve-symlinks', '--preserve-symlinks-main'],
      ['--jitless'],
      ['--max-old-space-size=40'],
      [permission, '--allow-fs-read=*', ...(major >= 25 ? ['--allow-net'] : [])],
    ]) {
      test(`${flags.join(' ')} goes together with ${how}`, async () => {
        const app = startApp(files.path('evaluates.js'), { nodeArgs: [...flags, how, flag] });
        const url = await app.metricsUrl();
        await app.printed(/up/);
        const samples = await samplesFrom(url);
        assert.equal(samples.of('vitals_build_info').length, 1);
        assert.ok(samples.value('v8js_memory_heap_used_bytes')! > 0);
        app.kill('SIGTERM');
        const exit = await app.exit;
        assert.equal(exit.signal, 'SIGTERM');
        const verdict = flags[0] === '--disallow-code-generation-from-strings' ? 'EvalError' : 'allowed';
        assert.equal(exit.stdout, `${verdict}\nup\n`);
        // Node.js 20 needs a thread for hooks into ES modules, which its permission model forbids.
        const noThread = how === '--import' && flags.includes('--experimental-permission') && major === 20;
        const expected = noThread ? [/libraries are not measured where they are ES modules/] : [];
        assert.equal(samples.value('vitals_self_warnings_total'), expected.length);
        expected.push(/metrics are served/);
        const lines = said(exit.stderr);
        assert.equal(lines.length, expected.length, exit.stderr);
        for (const [i, pattern] of expected.entries()) assert.match(lines[i]!, pattern);
      });
    }
  }

  test('without the right to use the network an application loses its metrics at most', async () => {
    if (major < 25) return;
    const exit = await runApp(files.path('prints.js'), {
      nodeArgs: ['--permission', '--allow-fs-read=*', '--require', preload],
    });
    assert.equal(exit.code, 0, exit.stderr);
    assert.equal(exit.stdout, 'ran \n');
  });

  test('without the right to read its own files the agent cannot load, as Node.js says', async () => {
    const exit = await runApp(files.path('prints.js'), {
      nodeArgs: [permission, `--allow-fs-read=${files.dir}/*`, '--require', preload],
    });
    assert.notEqual(exit.code, 0);
    assert.match(exit.stderr, /ERR_ACCESS_DENIED|MODULE_NOT_FOUND/);
  });
});

test('--watch restarts an application that has the agent, and the watcher has none', async () => {
  const app = startApp(files.path('server.js'), {
    nodeArgs: ['--require', preload, '--watch'],
    env: { OTEL_LOG_LEVEL: 'info' },
  });
  await app.printed(/listening on/);
  const first = await samplesFrom(await app.metricsUrl());
  assert.equal(first.of('vitals_build_info').length, 1);
  assert.equal(app.stderr().match(/started in/g)?.length, 1, app.stderr());
  const { utimesSync } = await import('node:fs');
  const again = app.printed(/listening on[\s\S]*listening on/);
  // The watcher may not have begun to watch yet.
  const touch = setInterval(() => utimesSync(files.path('server.js'), new Date(), new Date()), 300);
  await again;
  clearInterval(touch);
  app.kill('SIGTERM');
  await app.exit;
});

/** Runs node with text on its stdin. */
async function withStdin(
  args: readonly string[],
  text: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { OTEL_LOG_LEVEL: _, ...env } = process.env;
  const child = spawn(nodeBinary, args, {
    env: { ...env, OTEL_EXPORTER_PROMETHEUS_PORT: '0', NODE_NO_READLINE: '1' },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', data => {
    output.stdout += data;
  });
  child.stderr.setEncoding('utf8').on('data', data => {
    output.stderr += data;
  });
  child.stdin.end(text);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}
