import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { repository } from './app';

/** What the last stage of a Dockerfile leaves, without Docker: its files, user, environment and command. */
export interface BuiltImage {
  readonly folder: string;
  readonly user: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

interface Stage extends Omit<BuiltImage, 'user' | 'command'> {
  user: string | undefined;
  command: readonly string[];
  readonly env: Record<string, string>;
}

/**
 * Runs the steps of a Dockerfile in folders below `work`, one for each stage, on this machine's Node.js in place of the
 * base image. It knows what the repository's Dockerfile uses, and refuses the rest.
 */
export function buildWithoutDocker(dockerfile: string, work: string): BuiltImage {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const line of instructions(readFileSync(join(repository, dockerfile), 'utf8'))) {
    const [, word = '', rest = ''] = /^(\w+)\s+([\s\S]+)$/.exec(line) ?? [];
    if (word === 'FROM') {
      const [, from = '', name = ''] = /^(\S+) AS (\S+)$/.exec(rest) ?? [];
      const parent = stages.get(from);
      stage = { folder: join(work, name), env: { ...parent?.env }, user: parent?.user, command: [] };
      mkdirSync(stage.folder);
      if (parent !== undefined) cpSync(parent.folder, stage.folder, { recursive: true });
      stages.set(name, stage);
      continue;
    }
    if (stage === undefined) throw new Error(`Expected FROM first, got ${line}`);
    if (word === 'COPY') copy(rest, stage, stages);
    else if (word === 'RUN') run(rest, stage);
    else if (word === 'USER') stage.user = rest;
    else if (word === 'CMD') stage.command = JSON.parse(rest) as string[];
    else if (word === 'ENV') {
      const [, name, value] = /^(\w+)=(\S+)$/.exec(rest) ?? [];
      stage.env[name!] = value!;
    } else if (!['WORKDIR', 'EXPOSE'].includes(word)) throw new Error(`Expected a known step, got ${line}`);
  }
  if (stage === undefined) throw new Error(`Expected a stage, got none in ${dockerfile}`);
  return stage;
}

function instructions(text: string): string[] {
  return text
    .split('\n')
    .filter(line => !line.startsWith('#'))
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter(line => line.trim() !== '');
}

function run(command: string, { folder, env }: Stage): void {
  const outside = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_)/.test(name));
  execFileSync('sh', ['-c', command], {
    cwd: folder,
    env: { ...Object.fromEntries(outside), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

function copy(text: string, { folder }: Stage, stages: ReadonlyMap<string, Stage>): void {
  const [, from, paths = ''] = /^(?:--from=(\S+) )?(.+)$/.exec(text) ?? [];
  const names = paths.split(' ');
  const target = join(folder, names.pop()!.replace(/^\/app\//, ''));
  const origin = from === undefined ? repository : stages.get(from)!.folder;
  for (const name of names) {
    const source = join(origin, name.replace(/^\/app\//, ''));
    if (!existsSync(source)) throw new Error(`Expected ${source} to copy, got nothing`);
    const into = names.length > 1 || text.endsWith('/') ? join(target, name.split('/').pop()!) : target;
    mkdirSync(dirname(into), { recursive: true });
    cpSync(source, into, {
      recursive: true,
      filter: path => from !== undefined || !isIgnored(relative(repository, path)),
    });
  }
}

const patterns = readFileSync(join(repository, '.dockerignore'), 'utf8')
  .split('\n')
  .filter(line => line !== '' && !line.startsWith('#'))
  .map(
    line =>
      new RegExp(
        `^${line
          .replaceAll('.', '\\.')
          .replaceAll('**/', '(?:.*/)?')
          .replaceAll(/(?<!\.)\*/g, '[^/]*')}(?:/|$)`,
      ),
  );

function isIgnored(path: string): boolean {
  return patterns.some(pattern => pattern.test(path));
}
