/*
 * A naive echo server in C: it looks at all clients with select(2), and has a buffer for each. It is wrong;
 * what is wrong with it?
 *
 * mkdir -p build && cc -O2 -o build/naive examples/naive.c && build/naive   # port 12321, or PORT in the environment
 */
#define _GNU_SOURCE /* memmem(3) */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 1024 };

static struct {
  char line[ROOM];
  size_t length;
} clients[FD_SETSIZE];

static void take(int fd, fd_set *open) {
  char *line = clients[fd].line;
  size_t *length = &clients[fd].length;
  ssize_t received = recv(fd, line + *length, ROOM - *length, 0);
  if (received <= 0) {
    FD_CLR(fd, open);
    close(fd);
    return;
  }
  *length += (size_t)received;
  char *end;
  while ((end = memmem(line, *length, "\r\n", 2)) != NULL) {
    size_t size = (size_t)(end - line) + 2;
    send(fd, line, size, 0);
    *length -= size;
    memmove(line, line + size, *length);
  }
}

int main(void) {
  const char *text = getenv("PORT");
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_port = htons((unsigned short)(text ? atoi(text) : 12321));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int server = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(server, (struct sockaddr *)&address, sizeof address) < 0 || listen(server, 128) < 0) {
    perror("naive");
    return 1;
  }
  printf("naive.c listening on 127.0.0.1:%d (pid %d)\n", ntohs(address.sin_port), (int)getpid());
  fflush(stdout);
  fd_set open;
  FD_ZERO(&open);
  FD_SET(server, &open);
  for (;;) {
    fd_set ready = open;
    select(FD_SETSIZE, &ready, NULL, NULL, NULL);
    for (int fd = 0; fd < FD_SETSIZE; fd++) {
      if (!FD_ISSET(fd, &ready)) continue;
      if (fd != server) {
        take(fd, &open);
        continue;
      }
      int client = accept(server, NULL, NULL);
      clients[client].length = 0;
      FD_SET(client, &open);
    }
  }
}
