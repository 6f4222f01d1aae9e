/**
 * The exercises, from easy to hard. Whoever wants to solve them should not read on: each entry names the
 * wrong server that it starts.
 */

export interface Exercise {
  /** The file in `conformance/mutants/`, without `.ts`. */
  readonly mutant: string;
  /** What somebody who uses the server complains about. */
  readonly complaint: string;
  /** Which tool shows it, without naming the defect. */
  readonly hint: string;
}

export const exercises: readonly Exercise[] = [
  {
    mutant: 'greets',
    complaint: 'My program sends a line and reads a line. It is always one line behind.',
    hint: 'Connect with `npx tsx client`, and type nothing at first.',
  },
  {
    mutant: 'echoes-chunks',
    complaint:
      'By hand everything is fine. My program writes in small pieces, and gets pieces back.',
    hint: 'Try `npx tsx client --hold-partial`, or `--byte-by-byte`, and watch when bytes come back.',
  },
  {
    mutant: 'one-client-at-a-time',
    complaint: 'It works, until my colleague is logged in as well. Then one of us waits.',
    hint: 'Connect with two clients. The lab shows where the second one is.',
  },
  {
    mutant: 'trims-lines',
    complaint: 'We sent it a Python program. What came back did not run.',
    hint: 'Send lines with blanks in various places, and compare: `printf … | npx tsx client | od -c`.',
  },
  {
    mutant: 'skips-empty-lines',
    complaint: 'I count the lines that come back. Some texts lose a few.',
    hint: 'Which texts have something that others have not? Try one kind of line at a time.',
  },
  {
    mutant: 'drops-last-line',
    complaint: 'Typing is fine. When I paste a paragraph, its end is missing.',
    hint: 'Send several lines in one segment: `printf "a\\r\\nb\\r\\nc\\r\\n" | nc -N localhost 12321`.',
  },
  {
    mutant: 'turns-crlf-into-lf',
    complaint:
      'On the screen all is well. A byte-for-byte comparison says that every line differs.',
    hint: 'Look at the bytes, not at the screen: `printf "a\\r\\n" | nc -N localhost 12321 | od -c`.',
  },
  {
    mutant: 'dies-of-a-reset',
    complaint: 'It was gone again this morning. All that anybody did was to close a laptop.',
    hint: 'Each flag of `npx tsx client` is a different way to behave badly. One of them is enough.',
  },
  {
    mutant: 'splits-at-bare-lf',
    complaint: 'I send mixed files. Some answers come back before I have sent the whole line.',
    hint: 'A line ends in two bytes. Send each of them alone, and wait.',
  },
  {
    mutant: 'misses-a-split-terminator',
    complaint:
      'About one line in a thousand stays unanswered until I send the next. The network is slow.',
    hint: 'A slow network cuts lines anywhere. `npx tsx client --byte-by-byte` cuts them everywhere.',
  },
  {
    mutant: 'decodes-utf8',
    complaint: 'Text comes back as I sent it. A photograph does not.',
    hint: 'Send bytes that are not text. The suite has checks for bytes: `--only "framing/*"`.',
  },
  {
    mutant: 'falls-silent-after-a-while',
    complaint: 'I can type all day. My script, which does the same, hangs.',
    hint: 'What does a script do that a person has no patience for? Count.',
  },
  {
    mutant: 'echoes-the-tail',
    complaint: 'Our log has lines that nobody has finished.',
    hint: 'What should become of an unfinished line when its client closes? `printf "a" | nc -N …`.',
  },
  {
    mutant: 'blocks-on-slow-reader',
    complaint: 'When I stop my terminal with Ctrl-S, the others say that the server hangs.',
    hint: '`npx tsx client --never-read` in one terminal, `npx tsx client` in another.',
  },
  {
    mutant: 'loses-output-at-half-close',
    complaint: 'A short file comes back whole. A long one sometimes ends too early.',
    hint: 'Who closes first, and what is still on its way then? Try `half-close/*` of the suite.',
  },
  {
    mutant: 'one-buffer-for-all',
    complaint: 'Now and then a line of mine begins with words that somebody else was typing.',
    hint: 'Two clients, each with half a line.',
  },
  {
    mutant: 'buffers-without-bound',
    complaint: 'A single client was connected, and the server used all the memory of the machine.',
    hint: '`npx tsx client --never-read` says how much the server has taken. The lab shows where it lies.',
  },
  {
    mutant: 'drops-what-would-block',
    complaint: 'Big transfers come back with holes. Small ones never do.',
    hint: 'Send much, read slowly, and compare. The suite does that in `slow-readers/*`.',
  },
  {
    mutant: 'leaks-a-descriptor',
    complaint: 'It runs for two days, then takes no new clients. A restart helps.',
    hint: 'Come and go a hundred times, and count: `ls /proc/PID/fd | wc -l`.',
  },
  {
    mutant: 'spins-when-clients-have-left',
    complaint: 'Nobody is connected, and the fan is loud.',
    hint: '`top -p PID` before the first client, and after the last one.',
  },
  {
    mutant: 'serves-fifty-at-once',
    complaint:
      'In tests it was fast. At the open day many people connected, and some got no answer.',
    hint: 'How many clients does it take? The suite counts in `concurrency/*`.',
  },
  {
    mutant: 'has-ten-writers',
    complaint:
      'One slow reader disturbs nobody, nor do five. At the end of the month everything stops.',
    hint: 'Start many `npx tsx client --never-read`, one after another, with a polite client beside them.',
  },
  {
    mutant: 'reorders-under-load',
    complaint: 'Single lines are right. In big files, a few lines change places.',
    hint: 'Number your lines, send a megabyte, and check the order.',
  },
  {
    mutant: 'swaps-two-answers',
    complaint:
      'Once in a while somebody gets a line of somebody else. Only when the whole class is there.',
    hint: 'Many clients, many lines, each with its sender’s name in it. The suite does that.',
  },
];
