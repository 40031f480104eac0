import { escapeHtml } from './html';

/** What can be had below `/debug/pprof/`, with what it is in Node.js. */
const profiles: readonly (readonly [name: string, link: string, description: string])[] = [
  [
    'allocs',
    'allocs?seconds=10',
    'All that is allocated while it watches, collected or not, by the place that allocated it: 10 seconds, or ?seconds=.',
  ],
  [
    'block',
    'block?debug=1',
    'Blocks of the event loop over VITALS_STALL_MS, by the stack that was seen while it was blocked.',
  ],
  ['cmdline', 'cmdline', 'The command line of the program.'],
  [
    'goroutine',
    'goroutine?debug=1',
    'What keeps the event loop going: timers, sockets, servers, requests, child processes. ?debug=2 lists each.',
  ],
  [
    'heap',
    'heap?debug=1',
    'A sampling of the memory in use, by the place that allocated it. ?gc=1 collects garbage first.',
  ],
  [
    'mutex',
    'mutex?debug=1',
    'Waits for locks of the toolkit that somebody else held, by the place that waited.',
  ],
  [
    'profile',
    'profile?seconds=10',
    'What the main thread computes: 30 seconds, or ?seconds=. Read the file with go tool pprof.',
  ],
  ['symbol', 'symbol', 'Says that profiles have their names in them.'],
  [
    'trace',
    'trace?seconds=1',
    'What Node.js and V8 did, event by event: 1 second, or ?seconds=. For ui.perfetto.dev.',
  ],
];

/** The page of `/debug/pprof/`. */
export function indexPage(facts: {
  program: string;
  resources: number | undefined;
  blockedMs: number;
}): string {
  const rows = profiles.map(([name, link]) => {
    const count = name === 'goroutine' ? String(facts.resources ?? '') : '';
    return `<tr><td>${count}</td><td><a href="${escapeHtml(link)}">${name}</a></td></tr>`;
  });
  const descriptions = profiles.map(([name, , text]) => `<li><b>${name}:</b> ${escapeHtml(text)}</li>`);
  const blocked =
    facts.blockedMs > 0
      ? `<p><b>The event loop is blocked, for ${Math.round(facts.blockedMs)} ms so far.</b> <a href="block?debug=1">block</a> shows by what.</p>`
      : '';
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>/debug/pprof/ of ${escapeHtml(facts.program)}</title>
<style>body { font: 16px/1.5 sans-serif; margin: 2em; max-width: 50em } td:first-child { text-align: right; padding-right: 1em }</style>
</head>
<body>
<h1>/debug/pprof/</h1>
<p>${escapeHtml(facts.program)}, process ${process.pid}, Node.js ${process.versions.node}</p>
${blocked}
<table>
<thead><tr><th>Count</th><th>Profile</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
<p><a href="goroutine?debug=2">full list of active resources</a>, <a href="/profiling/status">status</a>,
<a href="/profiling/captures">captures</a></p>
<h2>Profiles</h2>
<ul>
${descriptions.join('\n')}
</ul>
</body>
</html>
`;
}
