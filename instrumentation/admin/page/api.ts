import type { CaptureRecord } from '../../profiling/capture';
import type { Flame } from '../../profiling/pprof/flame';
import type { Live } from '../live';

/** Milliseconds after which an answer is not waited for any more. */
const patienceMs = 10_000;

async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  const response = await fetch(path, { ...options, signal: AbortSignal.timeout(patienceMs) });
  if (response.ok) return response;
  throw new Error(`${path.split('?')[0]}: ${await reasonOf(response)}`);
}

async function reasonOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } };
    if (error?.message !== undefined) return error.message;
  } catch {
    // Not JSON: the text is the reason.
  }
  return text.trim() || String(response.status);
}

async function json<T>(path: string): Promise<T> {
  return (await ask(path)).json() as Promise<T>;
}

export const live = (after: number): Promise<Live> => json(`vitals/live?after=${after}`);

/** With what is wrong where they can't be read. */
export const captures = (): Promise<{ captures: readonly CaptureRecord[]; error?: string }> =>
  json('profiling/captures');

export const flame = (id: string): Promise<{ record: CaptureRecord; flame: Flame }> =>
  json(`profiling/flame/${id}`);

/** Begins a capture. */
export async function startCapture(type: string, duration: string | undefined): Promise<{ id: string }> {
  const query = new URLSearchParams({ type, ...(duration === undefined ? {} : { duration }) });
  return (await ask(`profiling/start?${query}`, { method: 'POST' })).json() as Promise<{ id: string }>;
}

export async function stopCapture(type: string): Promise<void> {
  await ask(`profiling/stop?type=${type}`, { method: 'POST' });
}

/** Whether a capture has ended. @throws why it failed */
export async function isDone(id: string): Promise<boolean> {
  return (await ask(`profiling/captures/${id}`, { method: 'HEAD' })).status === 200;
}
