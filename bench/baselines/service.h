/*
 * What the servers in C share, and what does not show in a measurement: where they listen, and where the last
 * complete line ends.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_LINE = 65536 };

static void die(const char *what) {
    perror(what);
    exit(1);
}

/* A listener on the port that the arguments name (0 picks a free one); says so in the line that every server prints. */
static int listen_as(const char *name, int flags, int count, char **arguments) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    at.sin_port = htons((unsigned short)(count > 1 ? atoi(arguments[1]) : 12321));
    if (listener < 0) die("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) < 0) die("bind");
    if (listen(listener, 4096) < 0) die("listen");
    getsockname(listener, (struct sockaddr *)&at, &size);
    printf("%s listening on 127.0.0.1:%d (pid %d)\n", name, ntohs(at.sin_port), (int)getpid());
    fflush(stdout);
    return listener;
}

/* The end of the last complete line in received[0..length), or NULL; a CR may have come before, as `last`. */
static char *last_line_end(char last, char *received, size_t length) {
    char *end = received + length;
    while ((end = memrchr(received, '\n', (size_t)(end - received)))) {
        if ((end > received ? end[-1] : last) == '\r') return end + 1;
    }
    return NULL;
}
