import { HttpClient } from 'otel-vitals/toolkit/network';

/** How a charge ended. */
export type Payment = 'succeeded' | 'declined' | 'cancelled';

/** What is to be paid. Sent again under the same key, it is paid once. */
export interface PaymentRequest {
  readonly key: string;
  readonly amountCents: number;
  readonly card?: string | undefined;
}

/** No usable answer of the gateway: whether it charged is not known. */
export class PaymentUnavailableError extends Error {
  readonly code = 'PAYMENT_UNAVAILABLE';
  override readonly name = 'PaymentUnavailableError';
}

/** The shop's side of the payment gateway. Every call has a time limit. */
export interface PaymentClient {
  /** Charges. @throws {@link PaymentUnavailableError} when the outcome is not known */
  charge(request: PaymentRequest): Promise<Payment>;
  /**
   * How the charge of `key` ended; one that has not ended is cancelled, and will not be made however late it comes.
   *
   * @throws {@link PaymentUnavailableError}
   */
  settle(key: string): Promise<Payment>;
  /** Rejects when the gateway does not answer. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Talks to the gateway at `url`, whose calls may take `timeoutMs` each. */
export function createPaymentClient(url: string, timeoutMs: number): PaymentClient {
  const gateway = new HttpClient({
    name: 'payment',
    baseUrl: url,
    connections: { perOrigin: 64 },
    timeouts: { connectMs: timeoutMs, headersMs: timeoutMs, bodyMs: timeoutMs, totalMs: timeoutMs },
    // A charge without an answer is asked about, and not sent again: see `settle`.
    retry: false,
  });

  const call = async (method: 'GET' | 'POST', path: string, key?: string, body?: object) => {
    try {
      const answer = await gateway.request(path, {
        method,
        headers: {
          ...(body && { 'content-type': 'application/json' }),
          ...(key !== undefined && { 'idempotency-key': key }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: answer.json() as { status?: string } };
    } catch (cause) {
      throw new PaymentUnavailableError(`The payment gateway did not answer ${method} ${path}`, { cause });
    }
  };
  const outcome = ({ status, body }: Awaited<ReturnType<typeof call>>): Payment => {
    const known = ['succeeded', 'declined', 'cancelled'].find(one => one === body.status);
    if (known !== undefined) return known as Payment;
    throw new PaymentUnavailableError(
      `Expected the end of a charge, got ${body.status} with status ${status}`,
    );
  };

  return {
    charge: async ({ key, amountCents, card }) =>
      outcome(await call('POST', '/charges', key, { amountCents, ...(card !== undefined && { card }) })),
    settle: async key => outcome(await call('POST', `/charges/${key}/cancel`)),
    async check() {
      const { status } = await call('GET', '/health/live');
      if (status !== 200) throw new PaymentUnavailableError(`Expected status 200, got ${status}`);
    },
    async close() {
      await gateway.close();
    },
  };
}
