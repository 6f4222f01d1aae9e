/** Has no handler for a connection's error. */
import { echoLines, serve } from './serve.ts';

serve((socket) => echoLines(socket), { survivesResets: false });
