/** Echoes whatever recv returned, complete or not. */
import { serve } from './serve.ts';

serve((socket) => {
  socket.pipe(socket);
});
