/**
 * Actors in a process of their own: a client that floods would spoil the timing of the others. It is
 * forked by `ActorProcess`, and ends with it.
 */
import { Actor, type ActorAct, type ActorEvent } from './actor.ts';

/** `of`: which actor. */
export type ToActor = { readonly of: number } & (
  | { readonly zero: string; readonly name: string }
  | { readonly act: ActorAct; readonly at: { readonly host: string; readonly port: number } }
  | { readonly close: true }
);

export type FromActor = { readonly of: number } & (
  | { readonly event: ActorEvent }
  | { readonly port: number }
);

const actors = new Map<number, Actor>();

function tell(message: FromActor | 'ready'): void {
  if (process.connected) process.send?.(message);
}

process.on('message', (message: ToActor) => {
  const { of } = message;
  if ('zero' in message) {
    const zero = BigInt(message.zero);
    const clock = () => Math.round(Number(process.hrtime.bigint() - zero) / 1e4) / 100;
    const actor = new Actor(
      message.name,
      clock,
      (event) => tell({ of, event }),
      (port) => tell({ of, port }),
    );
    actors.set(of, actor);
  } else if ('close' in message) {
    actors.get(of)?.close();
    actors.delete(of);
  } else {
    actors.get(of)?.act(message.act, message.at);
  }
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => undefined);
tell('ready');
