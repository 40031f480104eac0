import type { Live } from '../live';
import { span } from '../units';

/** Milliseconds after which a request without an answer is spoken of. */
const silentMs = 4000;

/** What is said of an application or a server that does not answer. */
export interface Notice {
  /** Empty while all is well. */
  readonly what: string;
  /** For how long, which moves on. */
  readonly time: string;
}

/** Knows for how long nothing has answered, between two answers too. */
export interface Vigil {
  asked(): void;
  answered(mainThread: Live['mainThread']): void;
  failed(reason: string): void;
  notice(): Notice;
}

export function createVigil(now: () => number = () => performance.now()): Vigil {
  let waitingSince: number | undefined;
  let blockedSince: number | undefined;
  let silentSince: number | undefined;
  let reason = '';
  const since = (begin: number): string => `for ${span(Math.floor((now() - begin) / 1000))}`;
  return {
    asked() {
      waitingSince = now();
    },
    answered({ answers, blockedMs }) {
      waitingSince = undefined;
      silentSince = undefined;
      blockedSince = answers ? undefined : Math.min(now() - blockedMs, blockedSince ?? Infinity);
    },
    failed(why) {
      silentSince ??= waitingSince ?? now();
      waitingSince = undefined;
      reason = why;
    },
    notice() {
      if (silentSince !== undefined) {
        return { what: `The server does not answer (${reason}), and has not`, time: since(silentSince) };
      }
      if (waitingSince !== undefined && now() - waitingSince >= silentMs) {
        return { what: 'The server has not answered', time: since(waitingSince) };
      }
      if (blockedSince === undefined) return { what: '', time: '' };
      return {
        what: 'The event loop is blocked: the application has not answered',
        time: since(blockedSince),
      };
    },
  };
}
