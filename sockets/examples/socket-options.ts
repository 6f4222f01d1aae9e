/**
 * Socket options, read and set (getsockopt(2), setsockopt(2)). Some are switches, some are sizes, and the
 * kernel may round what it is given: read it back to know.
 *
 *     npx tsx sockets/examples/socket-options.ts
 */
import * as sys from '../index.ts';

const fd = sys.socket(sys.AF_INET);
show('TCP_NODELAY (send small pieces at once)', sys.TCP_NODELAY, 1);
show('SO_KEEPALIVE (probe a silent peer)', sys.SO_KEEPALIVE, 1);
show('SO_REUSEADDR (take a port in TIME_WAIT)', sys.SO_REUSEADDR, 1);
show('SO_RCVTIMEO (milliseconds a recv waits)', sys.SO_RCVTIMEO, 100);
show('SO_SNDBUF (bytes; Linux doubles it)', sys.SO_SNDBUF, 20_000);
show('SO_LINGER (0: close sends a reset)', sys.SO_LINGER, 0);
sys.close(fd);

function show(what: string, option: sys.SocketOption, value: number): void {
  const before = sys.getsockopt(fd, option);
  sys.setsockopt(fd, option, value);
  console.log(`${what}: ${before}, set to ${value}, is ${sys.getsockopt(fd, option)}`);
}
