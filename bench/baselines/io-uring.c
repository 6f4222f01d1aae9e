/*
 * The same service in C over io_uring(7), with the same operations as models/io-uring: one accept that goes on by
 * itself; for each client one reception, which takes a provided buffer when bytes come; the answer is sent from that
 * buffer, and linked to the next reception. What it leaves out is what does not show in a measurement: options,
 * the log, an orderly end.
 *
 *     io-uring PORT     0 picks a free one
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "service.h"

enum { BUFFER_SIZE = 65536, MOST_BUFFERS = 32768, AT_ONCE = 16 };
enum { ENTRIES = 1024, COMPLETIONS = 16384 };
enum { ACCEPT, RECEIVE, SEND }; /* the kinds of operations: the lower bits of user_data */

struct connection {
    int fd, in_flight, buffer; /* the provided buffer that is being sent from, or -1 */
    char *partial;             /* an unfinished line, its room MAX_LINE bytes */
    size_t partial_length;
    char *joined;              /* an unfinished line and the bytes that end it, while they are being sent */
};

static int ring, buffers, on = 1;
static unsigned *sq_head, *sq_tail, sq_mask, *cq_head, *cq_tail, cq_mask, tail;
static struct io_uring_sqe *sqes;
static struct io_uring_cqe *cqes;
static struct io_uring_buf_ring *free_buffers;
static char *memory;

static void *map(size_t size, int fd, off_t offset) {
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED | MAP_POPULATE;
    void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, offset);
    if (address == MAP_FAILED) die("mmap");
    return address;
}

static void release(int buffer) {
    struct io_uring_buf *free = &free_buffers->bufs[free_buffers->tail & (MOST_BUFFERS - 1)];
    free->addr = (unsigned long)(memory + (size_t)buffer * BUFFER_SIZE);
    free->len = BUFFER_SIZE;
    free->bid = (unsigned short)buffer;
    __atomic_store_n(&free_buffers->tail, (unsigned short)(free_buffers->tail + 1), __ATOMIC_RELEASE);
}

/* Buffers cost memory when they are first written to. Few stay in the processor's cache. */
static void grow(void) {
    for (int i = 0; i < AT_ONCE && buffers < MOST_BUFFERS; i++) release(buffers++);
}

static void set_up(void) {
    struct io_uring_params p = {.cq_entries = COMPLETIONS,
                                .flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL |
                                         IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    if ((ring = (int)syscall(SYS_io_uring_setup, ENTRIES, &p)) < 0) die("io_uring_setup");
    char *rings = map(p.cq_off.cqes + p.cq_entries * sizeof *cqes + p.sq_entries * 4, ring, IORING_OFF_SQ_RING);
    sqes = map(p.sq_entries * sizeof *sqes, ring, IORING_OFF_SQES);
    cqes = (void *)(rings + p.cq_off.cqes);
    sq_head = (void *)(rings + p.sq_off.head), sq_tail = (void *)(rings + p.sq_off.tail);
    cq_head = (void *)(rings + p.cq_off.head), cq_tail = (void *)(rings + p.cq_off.tail);
    sq_mask = p.sq_entries - 1, cq_mask = p.cq_entries - 1;
    for (unsigned i = 0; i < p.sq_entries; i++) ((unsigned *)(void *)(rings + p.sq_off.array))[i] = i;

    free_buffers = map(MOST_BUFFERS * sizeof(struct io_uring_buf), -1, 0);
    memory = map((size_t)MOST_BUFFERS * BUFFER_SIZE, -1, 0);
    struct io_uring_buf_reg group = {.ring_addr = (unsigned long)free_buffers, .ring_entries = MOST_BUFFERS};
    if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_PBUF_RING, &group, 1) < 0) die("io_uring_register");
    grow();
}

/* How many operations are queued and not handed over. */
static unsigned queued(void) {
    return tail - __atomic_load_n(sq_head, __ATOMIC_ACQUIRE);
}

/* Hands over what is queued, and waits for so many completions. */
static void enter(unsigned wait) {
    __atomic_store_n(sq_tail, tail, __ATOMIC_RELEASE);
    long done = syscall(SYS_io_uring_enter, ring, queued(), wait, IORING_ENTER_GETEVENTS, NULL, 0);
    if (done < 0 && errno != EINTR && errno != EBUSY && errno != EAGAIN) die("io_uring_enter");
}

static struct io_uring_sqe *queue(int operation, int fd, int kind, struct connection *c) {
    struct io_uring_sqe *entry = &sqes[tail++ & sq_mask];
    memset(entry, 0, sizeof *entry);
    entry->opcode = (unsigned char)operation;
    entry->fd = fd;
    entry->user_data = (unsigned long)c | (unsigned)kind;
    if (c) c->in_flight++;
    return entry;
}

/* Goes on by itself until it fails. */
static void accept_from(int listener) {
    queue(IORING_OP_ACCEPT, listener, ACCEPT, NULL)->ioprio = IORING_ACCEPT_MULTISHOT;
}

static void receive(struct connection *c) {
    queue(IORING_OP_RECV, c->fd, RECEIVE, c)->flags = IOSQE_BUFFER_SELECT;
}

/* The next operation that is queued begins when all of it has been sent. */
static void send_linked(struct connection *c, char *start, size_t length) {
    struct io_uring_sqe *entry = queue(IORING_OP_SEND, c->fd, SEND, c);
    entry->flags = IOSQE_IO_LINK;
    entry->addr = (unsigned long)start;
    entry->len = (unsigned)length;
    entry->msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
}

static void leave_if_done(struct connection *c) {
    if (c->in_flight > 0) return;
    close(c->fd);
    free(c->partial);
    free(c->joined);
    free(c);
}

static void received(struct connection *c, int buffer, size_t length) {
    char last = c->partial_length ? c->partial[c->partial_length - 1] : 0;
    char *start = memory + (size_t)buffer * BUFFER_SIZE, *end = last_line_end(last, start, length);
    char *rest = end ? end : start;
    size_t rest_length = (size_t)(start + length - rest);
    if (!end && c->partial_length + rest_length >= MAX_LINE) {
        release(buffer);
        return; /* a line that is too long: nothing is in flight any more, so the client is left */
    }
    if (ENTRIES - queued() < 2) enter(0); /* what is linked is handed over together */
    if (end && c->partial_length) {
        if (!(c->joined = malloc(c->partial_length + (size_t)(end - start)))) die("malloc");
        memcpy(c->joined, c->partial, c->partial_length);
        memcpy(c->joined + c->partial_length, start, (size_t)(end - start));
        send_linked(c, c->joined, c->partial_length + (size_t)(end - start));
        c->partial_length = 0;
    } else if (end) {
        send_linked(c, start, (size_t)(end - start));
        c->buffer = buffer;
    }
    if (rest_length) {
        if (!c->partial && !(c->partial = malloc(MAX_LINE))) die("malloc");
        memcpy(c->partial + c->partial_length, rest, rest_length);
        c->partial_length += rest_length;
    }
    if (c->buffer < 0) release(buffer);
    receive(c);
}

static void done(struct connection *c, int kind, int result, unsigned flags) {
    c->in_flight--;
    if (kind == SEND) {
        if (c->buffer >= 0) release(c->buffer);
        c->buffer = -1;
        free(c->joined);
        c->joined = NULL;
    } else if (result > 0) {
        received(c, (int)(flags >> IORING_CQE_BUFFER_SHIFT), (size_t)result);
    } else if (result == -ENOBUFS) {
        grow();
        receive(c);
    }
    leave_if_done(c); /* end of input, or an error: nothing more was begun */
}

static void welcome(int fd) {
    struct connection *c = calloc(1, sizeof *c);
    if (!c) die("calloc");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->fd = fd;
    c->buffer = -1;
    receive(c);
}

int main(int count, char **arguments) {
    set_up();
    int listener = listen_as("c-io-uring", 0, count, arguments);

    accept_from(listener);
    for (;;) {
        enter(1);
        for (unsigned head = *cq_head; head != __atomic_load_n(cq_tail, __ATOMIC_ACQUIRE);) {
            struct io_uring_cqe *entry = &cqes[head & cq_mask];
            unsigned long data = entry->user_data;
            int result = entry->res;
            unsigned flags = entry->flags;
            __atomic_store_n(cq_head, ++head, __ATOMIC_RELEASE);
            struct connection *c = (struct connection *)(data & ~3ul);
            if (ENTRIES - queued() < 2) enter(0);
            if (c) done(c, (int)(data & 3), result, flags);
            else if (result >= 0) welcome(result);
            if (!c && !(flags & IORING_CQE_F_MORE)) accept_from(listener);
        }
    }
}
