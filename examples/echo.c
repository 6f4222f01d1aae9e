/*
 * A right line-echo server in C: one thread for each client, and blocking system calls.
 *
 * mkdir -p build && cc -O2 -pthread -o build/echo examples/echo.c && build/echo   # port 12321, or PORT in the environment
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { MAX_LINE = 65536 /* bytes, CR LF included */, BACKLOG = 1024 };

/* Where the last complete line ends, up to a line that is too long; 0 when none is complete. */
static size_t complete(const char *bytes, size_t length) {
  size_t end = 0;
  for (size_t at = 2; at <= length; at++) {
    if (at < end + 2 || bytes[at - 2] != '\r' || bytes[at - 1] != '\n') continue;
    if (at - end > MAX_LINE) break;
    end = at;
  }
  return end;
}

/* send(2) may take less than it is given. MSG_NOSIGNAL: a client that has gone must not end the server. */
static int send_all(int client, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(client, bytes, length, MSG_NOSIGNAL);
    if (sent < 0) return -1;
    bytes += sent;
    length -= (size_t)sent;
  }
  return 0;
}

/* While send(2) waits for a client that does not read, nobody reads from that client: backpressure. */
static void echo(int client, char *buffer) {
  size_t kept = 0; /* an unfinished line, at the buffer's beginning */
  while (kept < MAX_LINE) {
    ssize_t received = recv(client, buffer + kept, 2 * MAX_LINE - kept, 0);
    if (received <= 0) return;
    size_t length = kept + (size_t)received;
    size_t end = complete(buffer, length);
    if (send_all(client, buffer, end) < 0) return;
    kept = length - end;
    memmove(buffer, buffer + end, kept);
  }
}

static void *serve(void *argument) {
  int client = (int)(long)argument;
  char *buffer = malloc(2 * MAX_LINE);
  if (buffer) echo(client, buffer);
  /* Half-close, then read on until the client has closed as well. To close with bytes unread would send a
     reset, which can destroy echoes that are still on their way. */
  shutdown(client, SHUT_WR);
  struct timeval second = {.tv_sec = 1};
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  for (int reads = 0; buffer && reads < 1000; reads++)
    if (recv(client, buffer, 2 * MAX_LINE, 0) <= 0) break;
  free(buffer);
  close(client);
  return NULL;
}

/* One socket for both families: it takes IPv4 as well, unless the machine has no IPv6. */
static int listener(unsigned short port) {
  int off = 0, on = 1;
  int server = socket(AF_INET6, SOCK_STREAM, 0);
  if (server >= 0) {
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(server, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(server, (struct sockaddr *)&any, sizeof any) == 0 && listen(server, BACKLOG) == 0)
      return server;
    close(server);
  }
  server = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = htons(port)};
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(server, (struct sockaddr *)&loopback, sizeof loopback) < 0 || listen(server, BACKLOG) < 0) {
    perror("echo");
    exit(1);
  }
  return server;
}

int main(void) {
  const char *text = getenv("PORT");
  unsigned short port = (unsigned short)(text ? atoi(text) : 12321);
  int server = listener(port), on = 1;
  printf("echo.c listening on 127.0.0.1:%d (pid %d)\n", port, (int)getpid());
  fflush(stdout);
  for (;;) {
    int client = accept(server, NULL, NULL);
    if (client < 0) { /* out of descriptors, say: those who are connected may leave some */
      usleep(10000);
      continue;
    }
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, (void *)(long)client) != 0) close(client);
    else pthread_detach(thread);
  }
}
