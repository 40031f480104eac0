import { createPoster } from '../http/post';
import type { Destination } from './request';

/** Pyroscope answered, and not with success. */
export class UploadRejectedError extends Error {
  readonly code = 'PYROSCOPE_UPLOAD_REJECTED';
  constructor(
    readonly status: number,
    readonly body: string,
  ) {
    super(`it answered ${status}${body === '' ? '' : `: ${body}`}`);
  }
}

/** The rest of an error page says nothing more. */
const maxErrorText = 200;

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/**
 * Posts one profile, on a connection of its own: windows are far apart, and an idle one would be closed by then.
 *
 * @throws UploadRejectedError, or what a {@link createPoster | poster} throws.
 */
export async function upload(
  to: Destination,
  path: string,
  body: Buffer,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const answer = await createPoster(to.endpoint, { keepAlive: false }).post({
    path,
    headers: to.headers,
    body,
    timeoutMs,
    signal,
    maxBody: status => (isSuccess(status) ? 0 : maxErrorText),
  });
  if (isSuccess(answer.status)) return;
  throw new UploadRejectedError(answer.status, answer.body.toString('utf8').trim());
}
