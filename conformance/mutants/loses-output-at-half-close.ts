/** Takes the client's FIN for the end of everything. */
import { echoLines, serve } from './serve.ts';

serve((socket) => {
  echoLines(socket);
  socket.on('end', () => socket.destroy());
});
