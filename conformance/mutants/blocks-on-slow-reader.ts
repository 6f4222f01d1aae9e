/** While one client's output is pending, it serves nobody. */
import type { Socket } from 'node:net';
import { echoLines, serve } from './serve.ts';

const everybody = new Set<Socket>();

serve((socket) => {
  everybody.add(socket);
  socket.once('close', () => everybody.delete(socket));
  echoLines(socket);
  socket.on('data', () => {
    if (socket.writableLength === 0) return;
    for (const each of everybody) each.pause();
    socket.write('', () => {
      for (const each of everybody) each.resume();
    });
  });
});
