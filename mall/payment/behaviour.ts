/** How the gateway behaves. Rates are shares of the charges, from 0 to 1. */
export interface Behaviour {
  /** How long every answer takes, in milliseconds. */
  readonly latencyMs: number;
  /** Charges that are answered with 500, and not made. */
  readonly errorRate: number;
  /** Charges that are neither made nor answered. */
  readonly timeoutRate: number;
  /** Charges that are made and whose answer is lost. */
  readonly lostAnswerRate: number;
  /** Charges that the bank declines. */
  readonly declineRate: number;
}

const rate = { type: 'number', minimum: 0, maximum: 1 };

/** What each of them may be. */
export const behaviourProperties = {
  latencyMs: { type: 'integer', minimum: 0, maximum: 60_000 },
  errorRate: rate,
  timeoutRate: rate,
  lostAnswerRate: rate,
  declineRate: rate,
} as const;

const variables: Readonly<Record<keyof Behaviour, string>> = {
  latencyMs: 'PAYMENT_LATENCY_MS',
  errorRate: 'PAYMENT_ERROR_RATE',
  timeoutRate: 'PAYMENT_TIMEOUT_RATE',
  lostAnswerRate: 'PAYMENT_LOST_ANSWER_RATE',
  declineRate: 'PAYMENT_DECLINE_RATE',
};

/** A bank on a good day. */
export const presetBehaviour: Behaviour = {
  latencyMs: 20,
  errorRate: 0,
  timeoutRate: 0,
  lostAnswerRate: 0,
  declineRate: 0,
};

/**
 * Reads the behaviour from `env`, without what it does not say as {@link presetBehaviour} has it.
 *
 * @throws Error with all that is wrong
 */
export function readBehaviour(env: NodeJS.ProcessEnv): Behaviour {
  const problems: string[] = [];
  const entries = Object.entries(variables).map(([name, variable]) => {
    const text = env[variable];
    const key = name as keyof Behaviour;
    if (text === undefined || text === '') return [key, presetBehaviour[key]];
    const { type, minimum, maximum } = behaviourProperties[key];
    const value = Number(text);
    const isKind = type === 'integer' ? Number.isInteger(value) : Number.isFinite(value);
    if (!isKind || value < minimum || value > maximum) {
      problems.push(`${variable}: expected a ${type} from ${minimum} to ${maximum}, got "${text}"`);
    }
    return [key, value];
  });
  if (problems.length > 0) throw new Error(`The payment gateway cannot start: ${problems.join('; ')}`);
  return Object.fromEntries(entries) as Behaviour;
}
