/** Looks at the next client when the one before it has left. */
import type { Socket } from 'node:net';
import { echoLines, serve } from './serve.ts';

const waiting: Socket[] = [];
let busy = false;

function next(): void {
  const socket = waiting.shift();
  busy = socket !== undefined;
  if (!socket) return;
  echoLines(socket);
  if (socket.destroyed) next();
  else socket.once('close', next);
}

serve((socket) => {
  waiting.push(socket);
  if (!busy) next();
});
