/**
 * The trace id of a W3C `traceparent` header.
 *
 * @returns 32 hexadecimal digits; `undefined` where the header is absent or not valid
 */
export function traceIdOf(header: string | readonly string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined;
  const [, version, trace, parent, rest] =
    /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}(-.*)?$/.exec(header.trim()) ?? [];
  if (version === undefined || version === 'ff' || /^0+$/.test(trace!) || /^0+$/.test(parent!))
    return undefined;
  // Later versions may have more to say; this one has not.
  return version === '00' && rest !== undefined ? undefined : trace;
}
