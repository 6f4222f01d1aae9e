/**
 * The models on the map, from the simplest to the newest: this is the order of docs/map.md and of README.md. Each
 * statement about the world has the source that says so.
 */
import type { Place } from '../contest.ts';

/** Who tells a sleeper that it can go on. */
export type Teller = 'nobody' | 'readiness' | 'completion';

/** A figure of the bench that shows what a model costs. */
export interface Price extends Place {
  /** Another cell: the price is then the share of the throughput there that is left in `cell`. */
  readonly of?: string;
  /** What the figure is, after the figure. */
  readonly words: string;
}

export interface MapModel {
  /** The folder in `models/`. */
  readonly name: string;
  /** Since when: a year that a source in `history` proves. */
  readonly since: number;
  /** Where it comes from, and well-known servers that are built so. Markdown. */
  readonly history: string;
  readonly choose: string;
  /** What it is called, or looks like, elsewhere. Markdown. */
  readonly elsewhere: string;
  readonly price: Price;
}

const COME_AND_GO: Price = {
  ...{ question: 'come-and-go', cell: 'come-and-go', measure: 'clientsPerSecond' },
  words: 'come, get one echo, and go',
};
const BESIDE_SILENT: Price = {
  ...{ question: 'growth', cell: 'growth-10000', of: 'growth-0', measure: 'linesPerSecond' },
  words: 'of its echoes a second are left beside 10,000 silent clients',
};
const SILENT: Price = {
  ...{ question: 'idle', cell: 'idle', measure: 'each9000' },
  words: 'of memory for a silent client',
};

const BSD = 'https://github.com/freebsd/freebsd-src/blob/main/share/misc/bsd-family-tree';

export const models: readonly MapModel[] = [
  {
    name: 'blocking',
    since: 1983,
    history: `[accept(2)](https://man7.org/linux/man-pages/man2/accept.2.html) is from 4.2BSD ([1983](${BSD})). [PHP's built-in web server](https://www.php.net/manual/en/features.commandline.webserver.php) is one process with one thread, and "will stall if a request is blocked".`,
    choose: 'There is one client, or one at a time: a device, a test double.',
    elsewhere:
      "A loop around `accept` in any language. Python's [`socketserver.TCPServer`](https://docs.python.org/3/library/socketserver.html) completes each request before the next.",
    price: {
      ...{ question: 'echo', cell: 'echo-1', measure: 'linesPerSecond' },
      words: 'with one client. Every other client waits',
    },
  },
  {
    name: 'process-per-connection',
    since: 1983,
    history: `inetd: ["this process is passed the connection as file descriptor 0"](https://next.typewritten.org/Manual/Sun/SunOS/1.1/man8/inetd.html) (SunOS 1.1, December 1983), then in [4.3BSD](https://man.freebsd.org/cgi/man.cgi?query=inetd&sektion=8) ([1986](${BSD})). PostgreSQL: ["process per user"](https://www.postgresql.org/docs/current/connect-estab.html).`,
    choose: 'Clients must be isolated from each other, and there are only some dozens.',
    elsewhere:
      "fork(2) after accept(2) in C and Perl. Python's [`ForkingTCPServer`](https://docs.python.org/3/library/socketserver.html). `socat TCP-LISTEN:…,fork`.",
    price: COME_AND_GO,
  },
  {
    name: 'poll-loop',
    since: 1983,
    history: `[select(2)](https://man7.org/linux/man-pages/man2/select.2.html) is from 4.2BSD ([1983](${BSD})), [poll(2)](https://man.freebsd.org/cgi/man.cgi?query=poll&sektion=2) from AT&T System V. Squid: ["at the core of Squid is the select(2) system call"](https://docs.huihoo.com/squid/squid-programmers-guide/prog-guide-7.html), or poll(2).`,
    choose: 'There are up to some hundreds of clients, and it has to run on every Unix.',
    elsewhere:
      "Python's [`selectors.PollSelector`](https://docs.python.org/3/library/selectors.html), nginx with [`use poll`](https://nginx.org/en/docs/events.html).",
    price: BESIDE_SILENT,
  },
  {
    name: 'thread-per-connection',
    since: 1995,
    history:
      'POSIX threads came to Solaris [in 1995](https://docs.oracle.com/cd/E19253-01/816-5137/6mba5vpj5/index.html). MySQL: ["a thread dedicated to" each connection](https://docs.oracle.com/cd/E17952_01/refman-5.1-en/connection-threads.html). Java\'s servers have been built on threads [for nearly three decades](https://openjdk.org/jeps/444).',
    choose: 'Each client does long work, in code that blocks, and there are up to some hundreds.',
    elsewhere:
      "Java's platform threads, Ruby's `Thread.start(server.accept)`, Rust's `std::thread`. Java's [virtual threads](https://openjdk.org/jeps/444) and Go's goroutines read like this model, and wait like `coroutines`.",
    price: COME_AND_GO,
  },
  {
    name: 'cluster',
    since: 1995,
    history:
      'Apache: [pre-forked child processes](https://github.com/apache/httpd/blob/trunk/ABOUT_APACHE) in 0.7 and 0.8 (1995), today the [prefork MPM](https://httpd.apache.org/docs/2.4/mod/prefork.html). There each process blocks, for one client. gunicorn: ["pre-fork worker model"](https://docs.gunicorn.org/en/stable/design.html).',
    choose: 'There are several cores, and the clients have nothing to do with each other.',
    elsewhere:
      "nginx's worker processes, Ruby's Unicorn, and [`node:cluster`](https://nodejs.org/api/cluster.html), which is used here (with SCHED_NONE: the kernel spreads the clients).",
    price: {
      ...{ question: 'idle', cell: 'idle', measure: 'memory' },
      words: 'of memory before the first client',
    },
  },
  {
    name: 'worker-threads',
    since: 1996,
    history:
      'The pattern [Half-Sync/Half-Async](https://smallmemory.charlesweir.com/almanac/SchmidtEtc96.html) (1996). Apache\'s [event MPM](https://httpd.apache.org/docs/2.4/mod/event.html): a listener thread passes connections "to a worker thread for processing".',
    choose: 'Lines cost CPU time, and one process must hold the state of all clients.',
    elsewhere:
      "Java's `ExecutorService` behind a selector, tokio's `spawn_blocking`, asyncio's `run_in_executor`, and the thread pool of [libuv](https://docs.libuv.org/en/v1.x/threadpool.html).",
    price: {
      ...{ question: 'echo', cell: 'echo-1', measure: 'linesPerSecond' },
      words: 'with one client, as each line goes to a thread and back',
    },
  },
  {
    name: 'epoll-loop',
    since: 2002,
    history:
      '[epoll(7)](https://man7.org/linux/man-pages/man7/epoll.7.html) is from Linux 2.5.44 (October 2002). [The C10K problem](http://www.kegel.com/c10k.html) compares it with the other ways. nginx ([2004](https://nginx.org/download/)) [prefers it on Linux](https://nginx.org/en/docs/events.html). Redis has [its own loop over it](https://redis.io/docs/latest/operate/oss_and_stack/reference/internals/internals-rediseventlib/).',
    choose: 'There are thousands of clients, most of them silent, and CPU time counts.',
    elsewhere:
      "libevent, libev, Python's [`selectors`](https://docs.python.org/3/library/selectors.html), Rust's mio. On BSD and macOS it is kqueue(2).",
    price: BESIDE_SILENT,
  },
  {
    name: 'coroutines',
    since: 2005,
    history:
      "Python's generators became coroutines with [PEP 342](https://peps.python.org/pep-0342/) (2005), a scheduler among its examples. OpenResty: [one coroutine per request](https://github.com/openresty/lua-nginx-module/wiki/Introduction), over nginx.",
    choose: 'The protocol has many steps, and should be readable from top to bottom.',
    elsewhere:
      "Lua's coroutines, Python's gevent. Go's goroutines: a blocked one is put aside, and the runtime's [poller](https://go.dev/src/runtime/netpoll.go), epoll(7) on Linux, resumes it. Java's virtual threads.",
    price: SILENT,
  },
  {
    name: 'events',
    since: 2009,
    history:
      'Node.js, [shown at JSConf EU in November 2009](http://jsconf.eu/2009/speakers.html). Its [libuv](https://docs.libuv.org/en/v1.x/design.html) polls with epoll on Linux. The pattern is older: [Reactor](https://www.dre.vanderbilt.edu/~schmidt/PDF/Reactor.pdf) (1995).',
    choose: 'It is a program for Node that uses packages from npm, and has many clients.',
    elsewhere: "Python's Twisted, Ruby's EventMachine, Java's Netty.",
    price: SILENT,
  },
  {
    name: 'async-await',
    since: 2012,
    history:
      'In F# since 2010, in C# [since September 2012](https://blog.stephencleary.com/2017/09/happy-birthday-async.html), in Python since 3.5 ([PEP 492](https://peps.python.org/pep-0492/), 2015). A server on tokio (Rust) [starts a task for each connection](https://github.com/tokio-rs/tokio/blob/master/examples/echo-tcp.rs).',
    choose: 'As for `events`, and each client goes through several steps.',
    elsewhere: "C#'s Kestrel, Rust's tokio, Python's asyncio. The kernel tells as in `events`.",
    price: SILENT,
  },
  {
    name: 'rxjs',
    since: 2012,
    history:
      "Microsoft's Rx became open source [in November 2012](https://www.eweek.com/development/microsoft-open-sources-reactive-extensions-programming-model). The [Netflix API](http://benjchristensen.com/2013/05/02/functional-reactive-in-the-netflix-api-with-rxjava/) was built so (2013). Later [Spring WebFlux](https://docs.spring.io/spring-framework/reference/web-reactive.html).",
    choose: 'Answers are composed of several streams, with delays and cancellation.',
    elsewhere:
      'RxJava, [Reactor Netty](https://spring.io/projects/reactor-netty), Rx.NET. Reactive Streams add the backpressure that has to be made by hand here.',
    price: SILENT,
  },
  {
    name: 'io-uring',
    since: 2019,
    history:
      'io_uring is from [Linux 5.1](https://lwn.net/Articles/810414/), [merged in March 2019](https://git.kernel.org/torvalds/c/38e7571c07be01f9f19b355a9306a4e3d5cb0f5b). [TigerBeetle](https://tigerbeetle.com/blog/a-friendly-abstraction-over-iouring-and-kqueue/) uses it. The idea is older: I/O completion ports [since Windows NT 3.5](https://library.thedatadungeon.com/msdn-1998-06/Code0x06/devdoc/good/code/netds/winsock/iocomplt/c5269_8nnd.content.htm), the pattern [Proactor](https://www.dre.vanderbilt.edu/~schmidt/PDF/proactor.pdf) (1997).',
    choose:
      'Most of the time goes into system calls (for an echo [it does not](io-uring.md)), and you decide which kernel it runs on.',
    elsewhere:
      "Java's [Netty 4.2](https://netty.io/4.2/xref/io/netty/channel/uring/IoUringIoHandler.html), Rust's tokio-uring. On Windows libuv, and so Node, uses [completion ports](https://docs.libuv.org/en/v1.x/design.html).",
    price: {
      ...{ question: 'echo', cell: 'echo-50', measure: 'linesPerSecond' },
      words: 'with 50 clients',
    },
  },
];
