/**
 * A service of HTTP as one puts it behind deploy/http.cfg: a check that can be asked, and an end in which every
 * request that has come is answered.
 *
 *     npx tsx deploy/http-service.ts --host 127.0.0.11 --port 12380
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '12380' },
    wait: { type: 'string', default: '50' },
  },
});

const server = createServer(async (request, response) => {
  if (request.url === '/healthy') {
    response.end('yes\n');
    return;
  }
  await sleep(Number(values.wait)); // for a database, say
  response.end(`${values.host} answers ${request.headers['x-forwarded-for'] ?? 'a stranger'}\n`);
});

server.listen(Number(values.port), values.host, () => {
  const { address, port } = server.address() as AddressInfo;
  console.log(`listening on ${address}:${port} (pid ${process.pid})`);
});

// Closes the listener, and connections without a request; the others when their request has been answered. Then
// nothing is left to wait for, and the process ends.
process.once('SIGTERM', () => server.close());
