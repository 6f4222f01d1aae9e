/** Answers all lines of a read but the last, when there are several. */
import { echoLines, serve } from './serve.ts';

serve((socket) =>
  echoLines(socket, (lines) => {
    const lastButOne = lines.lastIndexOf('\r\n', lines.length - 3) + 2;
    return lastButOne >= 2 ? lines.subarray(0, lastButOne) : lines;
  }),
);
