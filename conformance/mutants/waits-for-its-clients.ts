/** After SIGTERM it goes on until the last of its clients has left. */
import { EchoServer } from './server.ts';

const server = new EchoServer();
server.listen();
process.on('SIGTERM', () => {
  setInterval(() => {
    if (server.clients.size === 0) process.exit();
  }, 50);
});
