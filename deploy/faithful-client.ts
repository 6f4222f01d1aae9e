/**
 * A client that survives the end of its server: it keeps each line until its echo has come, and when the connection
 * ends, it connects again and sends what is unanswered once more. A line may so be answered by two servers, but
 * its echo counts once: at least once on the way there, exactly once in the result.
 */
import { type Client, ClientError, connect, type Ending } from '../client/client.ts';

/** How often in a row a connection may fail before any line came back on it. */
const ATTEMPTS = 20;

export class FaithfulClient {
  readonly #port: number;
  readonly #name: string;
  #client: Client | undefined;
  #next = 0;
  #failures = 0;
  /** Lines that were sent and whose echo has not come yet, in their order. */
  readonly #unanswered: string[] = [];
  /** Lines whose echo has come. */
  answered = 0;
  /** How each connection ended that the client did not end itself. */
  readonly endings: Ending[] = [];
  /** How many lines were sent more than once. */
  sentAgain = 0;
  /** How long the client was without a server that answers, in milliseconds, for each interruption. */
  readonly gaps: number[] = [];
  #interruptedAt: number | undefined;

  constructor(port: number, name: string) {
    this.#port = port;
    this.#name = name;
  }

  /** The line that comes next; it names the client, so that the echo of another client's line is no answer. */
  #line(): string {
    return `${this.#name} says line ${++this.#next}\r\n`;
  }

  /** Sends so many lines at once, without waiting for their echoes. */
  async send(lines: number): Promise<void> {
    const fresh = Array.from({ length: lines }, () => this.#line());
    this.#unanswered.push(...fresh);
    await this.#try(async (client, isNew) => {
      if (!isNew) await client.send(fresh.join(''));
    });
  }

  /**
   * Waits for the echo of every line that was sent, on as many connections as it takes.
   *
   * @throws Error when an echo is wrong, or when it cannot be served
   */
  async settle(): Promise<void> {
    while (this.#unanswered.length > 0) {
      await this.#try(async (client) => {
        const [expected = ''] = this.#unanswered;
        const came = String(await client.receive(Buffer.byteLength(expected)));
        if (came !== expected) throw new Error(`${this.#name}: expected ${expected}, got ${came}`);
        this.#unanswered.shift();
        this.answered++;
        this.#failures = 0;
        if (this.#interruptedAt !== undefined) {
          this.gaps.push(performance.now() - this.#interruptedAt);
          this.#interruptedAt = undefined;
        }
      });
    }
  }

  async close(): Promise<void> {
    await this.#client?.close({ timeout: 1000 });
  }

  /** Does something on the connection. If there is none, on a new one, on which everything unanswered was sent. */
  async #try(act: (client: Client, isNew: boolean) => Promise<void>): Promise<void> {
    try {
      const isNew = !this.#client;
      this.#client ??= await connect({ port: this.#port, name: this.#name });
      if (isNew) {
        if (this.endings.length > 0) this.sentAgain += this.#unanswered.length;
        await this.#client.send(this.#unanswered.join(''));
      }
      await act(this.#client, isNew);
    } catch (error) {
      if (!(error instanceof ClientError) || error.reason === 'timeout') throw error;
      this.#interruptedAt ??= performance.now();
      if (this.#client) this.endings.push(this.#client.ending ?? 'reset');
      await this.#client?.destroy();
      this.#client = undefined;
      if (++this.#failures > ATTEMPTS) throw error;
    }
  }
}
