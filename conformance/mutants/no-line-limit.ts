/** Keeps an unfinished line however long it grows. */
import { serve } from './serve.ts';

serve((socket) => {
  let unanswered: Buffer[] = [];
  socket.on('data', (chunk) => {
    unanswered.push(chunk);
    if (!chunk.includes('\n')) return;
    const all = Buffer.concat(unanswered);
    const end = all.lastIndexOf('\r\n') + 2;
    if (end >= 2) socket.write(all.subarray(0, end));
    unanswered = [end >= 2 ? all.subarray(end) : all];
  });
});
