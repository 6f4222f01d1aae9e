/** Takes bytes for text, chunk by chunk. */
import { serve } from './serve.ts';

serve((socket) => {
  let unanswered = '';
  socket.on('data', (chunk) => {
    unanswered += chunk.toString('utf8');
    const end = unanswered.lastIndexOf('\r\n') + 2;
    if (end < 2) return;
    socket.write(unanswered.slice(0, end));
    unanswered = unanswered.slice(end);
  });
});
