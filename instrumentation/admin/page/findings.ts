import type { Finding, FindingReport } from '../../diagnosis';
import { digits, span } from '../units';
import { h } from './dom';

/** Shows what is wrong, and below it what was. */
export function showFindings(into: HTMLElement, report: FindingReport | undefined): void {
  if (report === undefined) {
    into.dataset['stale'] = 'true';
    if (into.childElementCount === 0) into.append(h('p', {}, 'The main thread has not answered yet.'));
    return;
  }
  delete into.dataset['stale'];
  const unfolded = new Set(
    [...into.querySelectorAll<HTMLDetailsElement>('details[open]')].map(({ dataset }) => dataset['key']),
  );
  const fold = (key: string, summary: string, content: Node): HTMLElement =>
    h('details', { open: unfolded.has(key), data: { key } }, h('summary', {}, summary), content);
  const { open, resolved } = report;
  into.replaceChildren(
    open.length === 0
      ? h('p', { className: 'fine' }, 'Nothing is found to be wrong.')
      : h('ul', { className: 'findings' }, ...open.map(finding => showFinding(finding, fold))),
  );
  if (resolved.length === 0) return;
  into.append(
    fold(
      'resolved',
      `${resolved.length} resolved`,
      h(
        'ul',
        { className: 'findings' },
        ...[...resolved].reverse().map(finding => showFinding(finding, fold)),
      ),
    ),
  );
}

type Fold = (key: string, summary: string, content: Node) => HTMLElement;

function showFinding(finding: Finding, fold: Fold): HTMLElement {
  const { code, severity, subject, title, evidence, advice, runbook, since, resolved } = finding;
  const evidenceRows = Object.entries(evidence).flatMap(([name, value]) => [
    h('dt', {}, name),
    h('dd', {}, typeof value === 'number' ? digits(value) : value),
  ]);
  const when =
    resolved === undefined
      ? `for ${span((Date.now() - since) / 1000)}`
      : `${new Date(since).toLocaleTimeString()}, for ${span((resolved - since) / 1000)}`;
  return h(
    'li',
    { data: { severity, code } },
    h('p', {}, h('strong', {}, severity), ' ', h('b', {}, `${subject} ${title}`), ' ', h('small', {}, when)),
    h('p', {}, advice),
    fold(`${code} ${subject} ${since}`, 'Evidence', h('dl', {}, ...evidenceRows)),
    h('p', {}, h('small', {}, `${code}, see ${runbook} in the package`)),
  );
}
