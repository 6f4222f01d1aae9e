/** Which verdicts of the suite change when it is aimed at a server through the balancer, and why. */

/** Checks that a right server may fail, by chance, with the reason. All others pass. */
export const fallible: Readonly<Record<string, string>> = {
  'slow-readers/server-stops-taking':
    'the check subtracts what the kernel holds of the connection. Behind a balancer there is a second connection, with buffers of its own, of which the check knows nothing: it takes what lies there for memory of the server',
};

/** A defect that the suite finds in a server, and not through the balancer. */
export interface Hidden {
  /** In `conformance/mutants/`. */
  readonly mutant: string;
  /** The check that fails directly, and passes through the balancer. */
  readonly check: string;
  readonly why: string;
  /** Whether that takes three servers: a defect that one of them has for itself is shared by three. */
  readonly takesThree?: boolean;
}

const LOOKS_AT_HAPROXY =
  'the suite looks at the process that listens on the port: at the descriptors, memory and CPU time of HAProxy';
const OTHER_PORT = 'the server sees HAProxy’s address and a port that HAProxy’s kernel chose';
const READS_AT_ONCE =
  'the client’s small buffers are HAProxy’s problem now: the server’s output is read at once';
const ANOTHER_SERVER =
  'the next client is at another server, until there are more clients than servers';

export const hidden: readonly Hidden[] = [
  { mutant: 'leaks-a-descriptor', check: 'leaks/after-lines', why: LOOKS_AT_HAPROXY },
  { mutant: 'leaks-at-a-reset', check: 'leaks/after-resets', why: LOOKS_AT_HAPROXY },
  {
    mutant: 'spins-when-clients-have-left',
    check: 'measures/rest-after-clients-have-left',
    why: LOOKS_AT_HAPROXY,
  },
  { mutant: 'ipv4-only', check: 'concurrency/both-families', why: 'HAProxy listens on ::1' },
  { mutant: 'tells-clients-by-their-port', check: 'concurrency/same-port-twice', why: OTHER_PORT },
  { mutant: 'remembers-who-reset', check: 'resets/leave-nothing-to-others', why: OTHER_PORT },
  {
    mutant: 'loses-output-at-half-close',
    check: 'half-close/output-is-not-lost',
    why: READS_AT_ONCE,
  },
  {
    mutant: 'turns-away-the-second',
    check: 'concurrency/second-client-while-first-idles',
    why: ANOTHER_SERVER,
    takesThree: true,
  },
  {
    mutant: 'serves-fifty-at-once',
    check: 'concurrency/hundred-interleaved',
    why: 'three times fifty is more than a hundred',
    takesThree: true,
  },
];
