import { Session } from 'node:inspector';
import { MainThreadBlockedError } from '../errors';
import type { SessionCounter } from '../open-sessions';

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

/** The sessions that this worker opens. */
export interface Sessions {
  /** @throws when Node.js was built or started without its inspector, and when the process exits. */
  open(): MainSession;
  /** Closes all, and lets no more be opened. */
  end(): void;
}

/** @param counter told of each that opens and closes */
export function createSessions(counter: SessionCounter): Sessions {
  const all = new Set<MainSession>();
  let ended = false;
  return {
    open() {
      if (ended) throw new Error('the process exits: its main thread is left alone');
      counter.opened();
      try {
        const session = openMainSession(() => {
          all.delete(session);
          counter.closed();
        });
        all.add(session);
        return session;
      } catch (error) {
        counter.closed();
        throw error;
      }
    },
    end() {
      ended = true;
      for (const session of all) session.close();
    },
  };
}

function openMainSession(onClose: () => void): MainSession {
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
      onClose();
    },
  };
}
