/** `docs/io-uring.md`: whether io_uring is faster than epoll for an echo server, answered by one run. */
import { digits } from '../../results.ts';
import { MARGIN_IN_WORDS } from '../contest.ts';
import { type Book, written } from '../figures.ts';
import { ENOUGH_ROUNDS } from '../proof.ts';
import { titleOf } from './chart.ts';
import { type Comparison, comparisons, MEASURE, PAIRS, verdict } from './comparison.ts';

/** @param file - the results file's name, without its folder */
export function ioUringPage(book: Book, file: string): string {
  const all = comparisons(book);
  const { machine, kernel, node, date } = book.results;
  return `# Is io_uring faster than epoll for an echo server?

**${verdict(all) ?? 'This run did not compare them'}.**

The question has been argued since 2020: [“io_uring is slower than epoll”](https://github.com/axboe/liburing/issues/189),
[a benchmark and its corrections](https://github.com/axboe/liburing/issues/427),
[yet another comparison](https://github.com/axboe/liburing/issues/536), and
[an increase of 99 %](https://github.com/frevib/io_uring-echo-server/issues/8), which its author later called “quite
off”. Here one generator measures both interfaces and compares every byte that comes back. It does so in two
languages, so that nobody mistakes the language for the interface.

| | epoll(7): “you can receive now” | io_uring(7): “it has been received” |
| --- | --- | --- |
| C | [\`c-epoll\`](../bench/baselines/epoll.c) | [\`c-io-uring\`](../bench/baselines/io-uring.c) |
| TypeScript | [\`epoll-loop\`](../models/epoll-loop) | [\`io-uring\`](../models/io-uring) |

All four are one thread and one loop. The two over io_uring have one accept for all clients, buffers that the kernel
takes when bytes come, each answer linked to the next reception, and one call that hands over and waits
(\`IORING_SETUP_DEFER_TASKRUN\`). They use no multishot reception, no registered descriptors, no zero-copy send and no
polling thread of the kernel (SQPOLL), so this page says nothing about those.

${all.length > 0 ? `## CPU time for a line\n\n${figures(book, all)}` : ''}

## System calls for a line

${calls(book)}

## Where the time goes

Fewer system calls are not less work. This shows what the C server over epoll spends its time on, while the bench
measures it (perf must be allowed to look at the kernel; some systems let only root):

\`\`\`sh
perf record -a -g -- npm run bench -- --only c-epoll --workload echo
perf report --children --comm c-epoll
\`\`\`

Seen on 2026-11-22, on the machine of the committed run (AMD EPYC, Linux 6.18), as shares of the server's CPU time:

| | |
| --- | ---: |
| sending: tcp_sendmsg | 73 % |
| receiving: tcp_recvmsg | 7 % |
| waiting: epoll_wait | 10 % |
| everything else: entering the kernel, framing, its own code | 10 % |

TCP is the same whoever asks for it. A send on loopback even carries the bytes through the whole stack, up to the
receiver's socket. An interface could save the rest at most, and io_uring has costs of its own there: an operation has
to be queued, kept until the bytes come, and reported.

What io_uring saves is the way into the kernel and back, twice for an echo. \`perf bench syscall basic\` measures that
way: 0.13 µs on that machine, so the two calls are a twentieth of the 5 µs that an echo takes. Processors that need
more of the kernel's mitigations (see \`/sys/devices/system/cpu/vulnerabilities\`) pay more for each call, and gain
more by fewer calls.

## What not to conclude

- **This is about an echo on loopback.** It says nothing of files: epoll cannot wait for them at all.
- **One line of each client is in flight here.** With many, the size of a reception decides. The loops over epoll
  receive up to 1 MiB (C) or 512 KiB (TypeScript) in one call, and those over io_uring 64 KiB, the size of a buffer. In
  another run on 2026-11-22, with 512 lines of one client in flight, a line took 0.13 µs in \`c-epoll\`, 0.20 µs in
  \`c-epoll\` built with \`RECEIVE_SIZE = 1 << 16\`, and 0.24 µs in \`c-io-uring\`.
- **Another machine can answer differently**, because its processor enters the kernel more slowly, or because its
  kernel is newer. Measure on yours.
- **io_uring may be forbidden** where your server will run: Docker's default profile forbids it, and
  \`kernel.io_uring_disabled\` can. A server that has to run there needs a loop over epoll as well.
- **The language is not the interface.** Compare within a row of the first table, not across.

## Repeat it

\`\`\`sh
npm run bench -- --only c-epoll,c-io-uring,epoll-loop,io-uring --workload echo,sizes,calls --json mine.json
npm run bench:docs -- mine.json    # writes this page with your figures to mine/io-uring.md
\`\`\`

The figures are from [one run of the bench](../bench/results/${file}), ${date.slice(0, 10)}: ${machine.cpu}, ${machine.cores} cores, ${kernel}, Node ${node}.
A difference counts as proven if it was the same way in every round, of at least ${ENOUGH_ROUNDS}, and more than ${MARGIN_IN_WORDS} in the median.
[bench/README.md](../bench/README.md) says how it is measured, and [tradeoffs.md](tradeoffs.md) compares all models.
`.replace(/\n{3,}/g, '\n\n');
}

function figures(book: Book, all: readonly Comparison[]): string {
  const cell = (one: Comparison | undefined, id: string) =>
    one ? written(book.figure(one.question, one.cell, MEASURE, id)) : '–';
  const rows = [...new Set(all.map(({ words }) => words))].map((words) => {
    const columns = PAIRS.flatMap(({ language, epoll, ring }) => {
      const one = all.find((each) => each.words === words && each.language === language);
      const ratio = one ? one.ratio.toFixed(2) : '–';
      return [cell(one, epoll), cell(one, ring), one?.proven ? `**${ratio}**` : ratio];
    });
    return `| ${[words, ...columns].join(' | ')} |`;
  });
  return [
    `![${titleOf(all)}](charts/io-uring.svg)`,
    [
      `| | ${PAIRS.flatMap(({ epoll, ring }) => [`\`${epoll}\``, `\`${ring}\``, 'ratio']).join(' | ')} |`,
      `| --- |${' ---: |'.repeat(3 * PAIRS.length)}`,
      ...rows,
    ].join('\n'),
    'CPU time, in user mode and in the kernel, because a busy generator does not limit it. Each figure is the median of all rounds; each ratio is the median of the quotients of each round. Bold: proven.',
  ].join('\n\n');
}

/** How many system calls each of the four makes for a line. */
function calls(book: Book): string {
  const cells = book.cells('calls');
  const ids = PAIRS.flatMap(({ epoll, ring }) => [epoll, ring]);
  const rows = cells.map(({ id: cell, words }) => {
    const counted = ids.map((id) => {
      const figure = book.figure('calls', cell, 'calls', id);
      return figure ? digits(figure.median) : '–';
    });
    return `| ${[words, ...counted].join(' | ')} |`;
  });
  if (rows.length === 0) return 'This run did not count them.';
  return [
    [
      `| | ${ids.map((id) => `\`${id}\``).join(' | ')} |`,
      `| --- |${' ---: |'.repeat(ids.length)}`,
      ...rows,
    ].join('\n'),
    'Over epoll there are two calls for a line, recv(2) and send(2), and a share of a wait. Over io_uring one call carries what is due for all clients, and returns with what has been done. With one client it is made twice for a line: it returns when the answer has been sent, and again when the next line has come. strace counted the calls, and slows a server down, so that more lines are due at each call. Without it, on the machine of the committed run, `perf stat -e raw_syscalls:sys_enter` counted 0.13 calls for a line with 50 clients in `io-uring`, and 2.02 in `epoll-loop`.',
  ].join('\n\n');
}
