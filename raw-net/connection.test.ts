import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { parseOptions } from '../echo/options.ts';
import * as sys from '../sockets/index.ts';
import { Connection } from './connection.ts';
import { Shared } from './shared.ts';

test('after a signal, a client that has just taken its output is not done before its input was looked at', async () => {
  const options = parseOptions({ name: 'test', summary: '' }, ['--log', 'off'], {});
  const shared = new Shared<Connection>(options);
  const listener = sys.openListener({ address: '127.0.0.1', port: 0 }, 1, false);
  const client = connect(listener.at.port, '127.0.0.1').pause();
  try {
    await once(client, 'connect');
    const fd = sys.accept(listener.fd);
    sys.setNonBlocking(fd);
    const connection = new Connection(fd, shared);
    client.write(Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(32_768)));
    const isSending = () => {
      connection.ready();
      return connection.isSending;
    };
    await expect.poll(isSending, { interval: 0 }).toBe(true);

    shared.stop();
    connection.checkTime(); // the client has not taken its output
    client.resume();
    await expect.poll(isSending, { interval: 0 }).toBe(false);
    connection.checkTime(); // in the same turn of the loop: nobody has looked for input yet
    expect(connection.isLingering).toBe(false);

    connection.checkTime(); // nothing has come, and nothing has gone
    expect(connection.isLingering).toBe(true);
    connection.close('the test is over');
  } finally {
    client.destroy();
    sys.close(listener.fd);
  }
});
