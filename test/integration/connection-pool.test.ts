import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { ConnectionPool } from '../../toolkit/object-pool';
import { assertPoolLaws } from '../helpers/pools';

const sockets = new Set<Socket>();
// Answers each line with the same line; "die" ends the connection without an answer.
const server = createServer(socket => {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (text: string) => {
    if (text === 'die\n') socket.destroy();
    else socket.write(text);
  });
});
server.listen(0, '127.0.0.1');
const listening = once(server, 'listening');
after(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

async function ask(socket: Socket, line: string): Promise<string> {
  if (socket.destroyed) throw new Error('the connection is gone');
  socket.write(`${line}\n`);
  const over = new AbortController();
  try {
    const gone = once(socket, 'close', over).then(() => {
      throw new Error('the connection closed');
    });
    const [text] = await Promise.race([once(socket, 'data', over), gone]);
    return String(text).trim();
  } finally {
    over.abort();
  }
}

function poolOf(maxActive: number): ConnectionPool<Socket> {
  const { port } = server.address() as AddressInfo;
  const pool: ConnectionPool<Socket> = new ConnectionPool<Socket>({
    name: 'echo',
    maxActive,
    create: async () => {
      const socket = connect(port, '127.0.0.1').setEncoding('utf8');
      await once(socket, 'connect');
      socket.on('error', () => {});
      socket.once('close', () => pool.invalidate(socket));
      return socket;
    },
    ping: async socket => (await ask(socket, 'ping')) === 'ping',
    destroy: socket => void socket.destroy(),
  });
  return pool;
}

test('a server that drops connections costs those in use and no others, and no place is lost', async () => {
  await listening;
  const pool = poolOf(4);
  let failed = 0;
  await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      try {
        const answer = await pool.use(socket => ask(socket, i % 5 === 0 ? 'die' : `line ${i}`));
        assert.equal(answer, `line ${i}`);
      } catch {
        failed++;
      }
    }),
  );
  assert.equal(failed, 8);
  const { used, pending, created } = pool.stats();
  assert.deepEqual([used, pending], [0, 0]);
  assert.ok(created >= 9 && created <= 12, `${created} connections for 8 that died`);
  assertPoolLaws(pool.stats());
  await pool.close();
});

test('after a restart of the server every caller gets a connection that works', async () => {
  await listening;
  const pool = poolOf(4);
  await Promise.all([1, 2, 3, 4].map(() => pool.use(socket => ask(socket, 'warm'))));
  assert.equal(pool.stats().idle, 4);
  for (const socket of sockets) socket.destroy();
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, i) => pool.use(socket => ask(socket, `${i}`))),
  );
  assert.deepEqual(
    answers,
    Array.from({ length: 12 }, (_, i) => `${i}`),
  );
  await pool.close();
  assertPoolLaws(pool.stats());
});
