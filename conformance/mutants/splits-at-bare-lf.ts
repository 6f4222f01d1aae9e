/** Takes LF for the end of a line. */
import { echoLines, serve } from './serve.ts';

serve((socket) => echoLines(socket, (lines) => lines, '\n'));
