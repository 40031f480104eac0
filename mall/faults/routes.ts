import type { FastifyInstance } from 'fastify';
import { ShopError } from '../errors';
import { object } from '../routes/schemas';
import type { FaultState, Faults } from './faults';
import {
  type FaultEntry,
  type FaultName,
  faultNames,
  faultTable,
  mostSeconds,
  type Parameter,
} from './table';

const tags = ['faults'];

/** Faults on purpose, by HTTP. Only for shops that nobody buys in. */
export function faultRoutes(app: FastifyInstance, faults: Faults): void {
  const view = (state: FaultState) => {
    const { family, does, shows }: FaultEntry = faultTable[state.name];
    return { ...state, family, does, shows };
  };

  app.addHook('onRequest', async ({ url }) => {
    if (faults.fails(url)) throw new Error('The fault error-burst is on');
  });

  app.get('/faults', { schema: { tags, summary: 'The faults there are, and which are on' } }, () => ({
    faults: faults.states().map(view),
  }));

  for (const name of faultNames) {
    const entry: FaultEntry = faultTable[name];
    const parameters = Object.entries(entry.parameters).map(
      ([key, { min, max }]: [string, Parameter]) =>
        [key, { type: 'integer', minimum: min, maximum: max }] as const,
    );
    const seconds = { type: 'integer', minimum: 1, maximum: mostSeconds };
    const body = { ...object({ seconds, ...Object.fromEntries(parameters) }, []), nullable: true };
    app.post<{ Body: Readonly<Record<string, number>> | null }>(
      `/faults/${name}`,
      { schema: { tags, summary: entry.does, body } },
      async (request, reply) => {
        const { seconds: wanted = entry.seconds, ...given } = request.body ?? {};
        return reply.code(201).send(view(await faults.start(name, wanted, given)));
      },
    );
    app.delete(`/faults/${name}`, { schema: { tags, summary: `Ends ${name}` } }, async () =>
      view(await faults.heal(name)),
    );
  }

  const unknown = (name: string): ShopError =>
    new ShopError(404, 'fault_not_found', `There is no fault ${name}`, {
      faults: faultNames satisfies FaultName[],
    });
  for (const method of ['POST', 'DELETE'] as const) {
    app.route<{ Params: { name: string } }>({
      method,
      url: '/faults/:name',
      schema: { hide: true } as object,
      handler: async ({ params }) => {
        throw unknown(params.name);
      },
    });
  }
}
