/**
 * An actor in a process of its own: a client that floods would spoil the timing of the others. It is
 * forked by `RemoteActor`, and ends with it.
 */
import { Actor, type ActorAct, type ActorEvent } from './actor.ts';

export type ToActor =
  | { readonly zero: string; readonly name: string }
  | { readonly act: ActorAct; readonly at: { readonly host: string; readonly port: number } };

export type FromActor = { readonly event: ActorEvent } | { readonly port: number } | 'ready';

let actor: Actor | undefined;

function tell(message: FromActor): void {
  if (process.connected) process.send?.(message);
}

process.on('message', (message: ToActor) => {
  if ('zero' in message) {
    const zero = BigInt(message.zero);
    const clock = () => Math.round(Number(process.hrtime.bigint() - zero) / 1e4) / 100;
    actor = new Actor(
      message.name,
      clock,
      (event) => tell({ event }),
      (port) => tell({ port }),
    );
  } else {
    actor?.act(message.act, message.at);
  }
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => undefined);
tell('ready');
