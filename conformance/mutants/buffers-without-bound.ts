/** Reads on, whatever waits to be sent. */
import { serve } from './serve.ts';

serve((socket) => {
  let unanswered = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    unanswered = Buffer.concat([unanswered, chunk]);
    const end = unanswered.lastIndexOf('\r\n') + 2;
    if (end < 2) return;
    socket.write(unanswered.subarray(0, end));
    unanswered = unanswered.subarray(end);
  });
});
