import type { StartFault } from './fault';

const timeoutMs = 5000;

export const slowPayment: StartFault = async ({ paymentUrl }, { latencyMs }) => {
  const behave = async (method: 'GET' | 'PUT', body?: object): Promise<{ readonly latencyMs: number }> => {
    const answer = await fetch(`${paymentUrl}/behaviour`, {
      method,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!answer.ok) throw new Error(`Expected the gateway to change, got status ${answer.status}`);
    return (await answer.json()) as { readonly latencyMs: number };
  };
  const { latencyMs: before } = await behave('GET');
  await behave('PUT', { latencyMs });
  return async () => void (await behave('PUT', { latencyMs: before }));
};

export const errorBurst: StartFault = ({ failRequests }, { percent }) => {
  failRequests(percent! / 100);
  return () => failRequests(0);
};
