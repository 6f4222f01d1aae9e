/** The open connections of one server, by their descriptors. */

export class Connections<Client extends { readonly fd: number }> {
  // Descriptors are small numbers, because each is the lowest that is free.
  readonly #byDescriptor: (Client | undefined)[] = [];
  #size = 0;

  /** How many are open. */
  get size(): number {
    return this.#size;
  }

  /** The connection with this descriptor; undefined when there is none. */
  of(fd: number): Client | undefined {
    return this.#byDescriptor[fd];
  }

  /** @param connection - one whose descriptor no other has */
  add(connection: Client): void {
    this.#byDescriptor[connection.fd] = connection;
    this.#size++;
  }

  /** To be called before the descriptor is closed: afterwards it may be another one's. */
  delete({ fd }: Client): void {
    this.#byDescriptor[fd] = undefined;
    this.#size--;
  }

  /** Those that are open, and may be closed meanwhile. */
  *[Symbol.iterator](): Generator<Client> {
    for (const each of this.#byDescriptor) if (each) yield each;
  }
}
