import {
  type FindingCode,
  type FindingDefinition,
  findingDefinitions,
  runbookOf,
  type Severity,
} from './codes';

/** What a finding rests on: numbers with the unit in their name, and words such as a stack. */
export type Evidence = Readonly<Record<string, number | string>>;

/** Something that is wrong in the process, with what shows it and what to do about it. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** What it is about, such as the name of a pool. */
  readonly subject: string;
  readonly title: string;
  /** As it was seen last. */
  readonly evidence: Evidence;
  readonly advice: string;
  /** Path of its runbook in this package. */
  readonly runbook: string;
  /** When it was seen first and last, in milliseconds since 1970. */
  readonly since: number;
  readonly lastSeen: number;
  /** When it was found to be over; absent while it is not. */
  readonly resolved?: number;
}

/** Findings of this process. */
export interface FindingReport {
  /** What is wrong now, oldest first. */
  readonly open: readonly Finding[];
  /** What was and is no more, newest last; the last 100. */
  readonly resolved: readonly Finding[];
}

export interface Findings {
  /**
   * Says that something is seen. To be said again at every look for as long as it is.
   *
   * @param subject what it is about; each subject has a finding of its own
   * @param advice what to do in this case, where that is more than what is always to be done
   */
  report(code: FindingCode, subject: string, evidence: Evidence, advice?: string): void;
  /** Ends a look: what was not reported since the last one was not there. */
  look(): void;
  current(): FindingReport;
}

/** Subjects that are kept track of at a time; what comes past them is left out, as one fault may have thousands. */
const mostTracked = 200;
const mostResolved = 100;

interface Tracked {
  readonly code: FindingCode;
  readonly subject: string;
  readonly since: number;
  evidence: Evidence;
  advice: string | undefined;
  lastSeen: number;
  seen: boolean;
  /** Looks in a row that saw it, or, once it is open, that did not. */
  looks: number;
  open: boolean;
}

/**
 * Keeps findings: says each once when it has been there for as long as its definition demands, and keeps it open until
 * it has been gone for as long as that demands, so that it does not flap.
 *
 * @param onOpened told of each finding that opens, and
 * @param now milliseconds since 1970
 */
export function createFindings(
  onOpened: (finding: Finding) => void,
  onResolved: (finding: Finding) => void = () => {},
  now: () => number = Date.now,
): Findings {
  const tracked = new Map<string, Tracked>();
  const resolved: Finding[] = [];

  const open = (entry: Tracked): void => {
    entry.open = true;
    entry.looks = 0;
    onOpened(findingOf(entry));
  };

  return {
    report(code, subject, evidence, advice) {
      const key = `${code} ${subject}`;
      let entry = tracked.get(key);
      if (entry === undefined) {
        if (tracked.size >= mostTracked) return;
        const at = now();
        entry = {
          code,
          subject,
          since: at,
          lastSeen: at,
          evidence,
          advice,
          seen: true,
          looks: 0,
          open: false,
        };
        tracked.set(key, entry);
      }
      entry.evidence = evidence;
      entry.advice = advice;
      entry.lastSeen = now();
      entry.seen = true;
      if (!entry.open && findingDefinitions[code].raiseAfter === 1) open(entry);
    },
    look() {
      for (const [key, entry] of tracked) {
        const { raiseAfter, clearAfter }: FindingDefinition = findingDefinitions[entry.code];
        const { seen } = entry;
        entry.seen = false;
        if (!entry.open) {
          // Its being there must go on without a break.
          if (!seen) tracked.delete(key);
          else if (++entry.looks >= raiseAfter) open(entry);
        } else if (seen) {
          entry.looks = 0;
        } else if (++entry.looks >= clearAfter) {
          tracked.delete(key);
          const finding = { ...findingOf(entry), resolved: now() };
          resolved.push(finding);
          if (resolved.length > mostResolved) resolved.shift();
          onResolved(finding);
        }
      }
    },
    current: () => ({
      open: [...tracked.values()].filter(entry => entry.open).map(findingOf),
      resolved: [...resolved],
    }),
  };
}

function findingOf({ code, subject, evidence, advice, since, lastSeen }: Tracked): Finding {
  const { severity, title, advice: usual } = findingDefinitions[code];
  return {
    code,
    severity,
    subject,
    title,
    evidence,
    advice: advice ?? usual,
    runbook: runbookOf(code),
    since,
    lastSeen,
  };
}
