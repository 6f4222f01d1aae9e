/*
 * The same service in C: one thread, epoll(7), level-triggered; lines of at most 64 KiB; output that
 * the kernel does not take is kept, and nothing is read from that client meanwhile. What it leaves out
 * is what does not show in a measurement: options, the log, an orderly end.
 *
 *     epoll PORT        0 picks a free one
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include "service.h"

enum { RECEIVE_SIZE = 1 << 20, EVENTS = 1024 };

struct connection {
    int fd;
    char *partial; /* an unfinished line, its room MAX_LINE bytes */
    size_t partial_length;
    char *pending; /* what send did not take */
    size_t pending_start, pending_length;
};

static int epoll;
/* The receive buffer of all connections, with room in front of it for an unfinished line. */
static char memory[MAX_LINE + RECEIVE_SIZE];
static char *const received = memory + MAX_LINE;

static void ask(struct connection *c, int operation, unsigned events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(epoll, operation, c->fd, &event) < 0) die("epoll_ctl");
}

static void leave(struct connection *c) {
    close(c->fd);
    free(c->partial);
    free(c->pending);
    free(c);
}

static void welcome(int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        if (!c) die("calloc");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        c->fd = fd;
        ask(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static void send_pending(struct connection *c) {
    size_t left = c->pending_length - c->pending_start;
    ssize_t sent = send(c->fd, c->pending + c->pending_start, left, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN) leave(c);
        return;
    }
    c->pending_start += (size_t)sent;
    if (c->pending_start == c->pending_length) {
        free(c->pending);
        c->pending = NULL;
        ask(c, EPOLL_CTL_MOD, EPOLLIN);
    }
}

static void serve(struct connection *c) {
    ssize_t length = recv(c->fd, received, RECEIVE_SIZE, 0);
    if (length <= 0) {
        if (length == 0 || errno != EAGAIN) leave(c);
        return;
    }
    char last = c->partial_length ? c->partial[c->partial_length - 1] : 0;
    char *start = received, *end = last_line_end(last, received, (size_t)length);
    if (end) {
        start -= c->partial_length;
        if (c->partial_length) memcpy(start, c->partial, c->partial_length);
        c->partial_length = 0;
        size_t owed = (size_t)(end - start);
        ssize_t sent = send(c->fd, start, owed, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            leave(c);
            return;
        }
        if (sent < 0) sent = 0;
        if ((size_t)sent < owed) {
            c->pending_start = 0;
            c->pending_length = owed - (size_t)sent;
            if (!(c->pending = malloc(c->pending_length))) die("malloc");
            memcpy(c->pending, start + sent, c->pending_length);
            ask(c, EPOLL_CTL_MOD, EPOLLOUT);
        }
    } else {
        end = received;
    }
    size_t rest = (size_t)(received + length - end);
    if (c->partial_length + rest >= MAX_LINE) {
        leave(c);
    } else if (rest) {
        if (!c->partial && !(c->partial = malloc(MAX_LINE))) die("malloc");
        memcpy(c->partial + c->partial_length, end, rest);
        c->partial_length += rest;
    }
}

int main(int count, char **arguments) {
    int listener = listen_as("c-epoll", SOCK_NONBLOCK, count, arguments);

    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[EVENTS], readable = {.events = EPOLLIN};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &readable) < 0) die("epoll");
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c) welcome(listener);
            else if (c->pending) send_pending(c);
            else serve(c);
        }
    }
}
