/** Keeps the unfinished lines of all clients in one buffer. */
import { serve } from './serve.ts';

let unanswered = Buffer.alloc(0);

serve((socket) => {
  socket.on('data', (chunk) => {
    unanswered = Buffer.concat([unanswered, chunk]);
    const end = unanswered.lastIndexOf('\r\n') + 2;
    if (end >= 2) socket.write(unanswered.subarray(0, end));
    unanswered = unanswered.subarray(Math.max(end, 0) >= 2 ? end : 0);
  });
});
