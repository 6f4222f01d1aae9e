/** The end of the server. */
import { count } from '../../client/client.ts';
import { type Check, Failure, Unsupported } from '../check.ts';
import { blockOfLines, expectAnswer, expectEcho, leaveOutputPending, NARROW } from '../expect.ts';
import { Footprint } from '../footprint.ts';
import { allProcesses, ownership } from '../processes.ts';

/** In milliseconds, and so much for each that the server's own patience may be: clients stay until it ends. */
const AT_MOST = 5000;

export const shutdown: readonly Check[] = [
  {
    id: 'shutdown/sigterm',
    level: 'should',
    title: 'After SIGTERM, nobody listens and nobody is left connected',
    sentence: 'At SIGTERM the server closes its listeners, and a moment later its connections.',
    cause:
      'is SIGTERM noticed only when a client does something? Do processes that it has started keep the listening socket? Does it wait for its clients to leave?',
    needs: ['concurrency/second-client-while-first-idles', 'half-close/answers-after-fin'],
    endsServer: true,
    async run(scene): Promise<string | undefined> {
      const { port, group } = scene.target;
      if (group === undefined) throw new Unsupported('the server was not started here');
      const owners = Footprint.of(scene.target).startedHere;
      if (owners.length === 0) throw new Unsupported('the server was not started here');
      const spoke = await scene.client('has spoken');
      await expectEcho(spoke, 'before\r\n');
      const began = await scene.client('holds a partial line');
      await began.send('whole\r\npartial');
      await expectAnswer(began, 'whole\r\n');
      const late = await scene.client('does not read', NARROW);
      await leaveOutputPending(late, blockOfLines(150));
      await scene.settle(300); // so that it is at rest
      // As a person would who has started it; what a launcher has started is told by its group, as systemd does.
      process.kill(owners.includes(group) ? group : -group, 'SIGTERM');
      const until = performance.now() + Math.max(AT_MOST, scene.patience);
      const clients = [spoke, began];
      for (;;) {
        const found = ownership(port, group);
        if (!found) throw new Unsupported('this system does not tell who listens');
        const listening = found.ours.length;
        const connected = clients.filter(({ ending }) => !ending).length;
        if (listening + connected === 0) return undefined;
        if (performance.now() > until) {
          // As with inetd, or sshd: who came to a process of its own may stay until it leaves.
          if (listening === 0 && !isThere(group)) return 'its processes go on for their clients';
          const seconds = Math.round(Math.max(AT_MOST, scene.patience) / 1000);
          throw new Failure(
            listening > 0
              ? `${seconds} s after SIGTERM it still listens`
              : `${seconds} s after SIGTERM, ${count(connected)} of ${count(clients.length)} clients that say nothing are still connected`,
          );
        }
        await scene.settle(30);
      }
    },
  },
];

function isThere(pid: number): boolean {
  return allProcesses().some((one) => one.pid === pid && one.state !== 'Z');
}
