import { Session } from 'node:inspector';
import { MainThreadBlockedError } from '../errors';

/** A session of V8's inspector on the main thread, held by this worker. */
export interface MainSession {
  /**
   * Sends a command, which the main thread runs at the next place where V8 can interrupt it, its event loop blocked
   * or not. While it is in native code, or waits for a lock or a child process, it runs none.
   *
   * @throws MainThreadBlockedError after `timeoutMs`; the inspector's own error
   */
  post<T = unknown>(method: string, params?: object, timeoutMs?: number): Promise<T>;
  on(event: string, listener: (params: never) => void): void;
  /** Ends the session and, in V8, whatever it started. */
  close(): void;
}

const defaultTimeoutMs = 30_000;

/** @throws when Node.js was built or started without its inspector. */
export function openMainSession(): MainSession {
  const session = new Session();
  session.connectToMainThread();
  let open = true;
  return {
    post<T>(method: string, params: object = {}, timeoutMs: number = defaultTimeoutMs): Promise<T> {
      return new Promise((resolve, reject) => {
        if (!open) {
          reject(new Error(`${method}: the session is closed`));
          return;
        }
        const timer = setTimeout(() => reject(new MainThreadBlockedError(method, timeoutMs)), timeoutMs);
        session.post(method, params, (error: Error | null, result?: object) => {
          clearTimeout(timer);
          if (error === null) resolve(result as T);
          else reject(error);
        });
      });
    },
    on(event, listener) {
      session.on(event, (message: { params: object }) => listener(message.params as never));
    },
    close() {
      if (!open) return;
      open = false;
      session.disconnect();
    },
  };
}
