import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from '../board';
import { connections } from './connections';
import { managers } from './managers';
import { operations } from './operations';

/** The board **Database**: connection pools, and what is asked over them. */
export function databaseBoard(): Dashboard {
  return dashboard({
    uid: 'otel-vitals-database',
    title: 'Database',
    description:
      'Connection pools of knex and pg by name, and operations of databases and Redis by what they do, without any value of a query. Start with the waits: they tell whether the database is slow or the pool too small.',
    tags: ['nodejs', 'database'],
    sections: [connections, operations, managers],
  });
}
