/** Gives lines back in its own fashion. */
import { echoLines, serve } from './serve.ts';

serve((socket) =>
  echoLines(socket, (lines) =>
    Buffer.from(lines.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
  ),
);
