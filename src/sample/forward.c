#include "sample/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PT_FORWARD_PAIRS  512
#define PT_FORWARD_BUFFER ((size_t)256 * 1024)

/* One direction: what was read from `from` and not yet written to `to`. The next read waits until
 * all of it is written. */
typedef struct flow {
    char *data; /* PT_FORWARD_BUFFER bytes */
    size_t at, len;
} flow;

typedef struct pair {
    int socket[2]; /* client, broker */
    flow flow[2];  /* [i]: from socket[i] to socket[1 - i] */
} pair;

/* Everything but `wake` belongs to the thread. */
struct pt_forward {
    pthread_t thread;
    int listener, wake;
    uint16_t table;
    size_t n_pairs;
    pair pairs[PT_FORWARD_PAIRS];
    struct pollfd fds[2 + 2 * PT_FORWARD_PAIRS];
};

static void pair_close(pair *p) {
    for (int i = 0; i < 2; i++) {
        (void)close(p->socket[i]);
        free(p->flow[i].data);
    }
}

static struct sockaddr_in loopback(uint16_t port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int connect_target(uint16_t table) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = loopback(table);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void accept_one(pt_forward *f) {
    int client = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) {
        return;
    }
    int broker = f->n_pairs < PT_FORWARD_PAIRS ? connect_target(f->table) : -1;
    if (broker < 0) {
        (void)close(client);
        return;
    }
    pair p = {.socket = {client, broker}};
    int on = 1;
    for (int i = 0; i < 2; i++) {
        (void)setsockopt(p.socket[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        p.flow[i].data = malloc(PT_FORWARD_BUFFER);
    }
    if (!p.flow[0].data || !p.flow[1].data) {
        pair_close(&p);
        return;
    }
    f->pairs[f->n_pairs++] = p;
}

/* Moves what can be moved without waiting; false when the connection is over. */
static bool pump(pair *p, int from) {
    flow *w = &p->flow[from];
    if (w->at == w->len) {
        ssize_t n = recv(p->socket[from], w->data, PT_FORWARD_BUFFER, MSG_DONTWAIT);
        if (n <= 0) {
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        }
        w->at = 0;
        w->len = (size_t)n;
    }
    ssize_t n = send(p->socket[1 - from], w->data + w->at, w->len - w->at,
                     MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    w->at += (size_t)n;
    return true;
}

/* A socket is read when nothing of it waits, and written when something of the other one does. */
static short wanted(const pair *p, int i) {
    bool empty = p->flow[i].at == p->flow[i].len;
    bool waits = p->flow[1 - i].at < p->flow[1 - i].len;
    return (short)((empty ? POLLIN : 0) | (waits ? POLLOUT : 0));
}

static void serve_pairs(pt_forward *f, const struct pollfd *ready) {
    for (size_t k = f->n_pairs; k-- > 0;) {
        pair *p = &f->pairs[k];
        short client = ready[2 * k].revents, broker = ready[2 * k + 1].revents;
        bool alive = true;
        if ((client & (POLLIN | POLLHUP | POLLERR)) || (broker & POLLOUT)) {
            alive = pump(p, 0);
        }
        if (alive && ((broker & (POLLIN | POLLHUP | POLLERR)) || (client & POLLOUT))) {
            alive = pump(p, 1);
        }
        if (!alive) {
            pair_close(p);
            *p = f->pairs[--f->n_pairs];
        }
    }
}

static void *forward_thread(void *arg) {
    pt_forward *f = arg;
    struct pollfd *fds = f->fds;
    for (;;) {
        size_t n = f->n_pairs;
        fds[0] = (struct pollfd){.fd = f->wake, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = f->listener, .events = POLLIN};
        for (size_t k = 0; k < n; k++) {
            for (int i = 0; i < 2; i++) {
                fds[2 + 2 * k + (size_t)i] = (struct pollfd){.fd = f->pairs[k].socket[i],
                                                             .events = wanted(&f->pairs[k], i)};
            }
        }
        if (poll(fds, (nfds_t)(2 + 2 * n), -1) < 0) {
            continue;
        }
        if (fds[0].revents) {
            break;
        }
        serve_pairs(f, fds + 2);
        if (fds[1].revents) {
            accept_one(f);
        }
    }
    while (f->n_pairs) {
        pair_close(&f->pairs[--f->n_pairs]);
    }
    return NULL;
}

static int listen_on(uint16_t port, int *out, pt_error *err) {
    int on = 1;
    struct sockaddr_in address = loopback(port);
    *out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*out < 0) {
        return pt_fail(err, PT_E_IO, "no socket: %s", strerror(errno));
    }
    (void)setsockopt(*out, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(*out, (struct sockaddr *)&address, sizeof address) != 0 || listen(*out, 128) != 0) {
        int why = errno;
        (void)close(*out);
        return pt_fail(err, PT_E_IO,
                       "cannot listen on 127.0.0.1:%u: %s; choose another --port, or leave it out "
                       "for a free one",
                       port, strerror(why));
    }
    return PT_OK;
}

int pt_forward_start(uint16_t port, uint16_t table, pt_forward **out, pt_error *err) {
    pt_forward *f = calloc(1, sizeof *f);
    *out = NULL;
    if (!f) {
        return pt_fail_nomem(err, "the forwarder");
    }
    f->table = table;
    int code = listen_on(port, &f->listener, err);
    if (code != PT_OK) {
        free(f);
        return code;
    }
    f->wake = eventfd(0, EFD_CLOEXEC);
    if (f->wake < 0 || pthread_create(&f->thread, NULL, forward_thread, f) != 0) {
        (void)close(f->listener);
        free(f);
        return pt_fail(err, PT_E_IO, "no thread for the forwarder");
    }
    *out = f;
    return PT_OK;
}

void pt_forward_stop(pt_forward **forward) {
    pt_forward *f = *forward;
    if (!f) {
        return;
    }
    uint64_t one = 1;
    ssize_t ignored = write(f->wake, &one, sizeof one);
    (void)ignored; /* an eventfd at 0 takes a 1 */
    pthread_join(f->thread, NULL);
    (void)close(f->listener);
    (void)close(f->wake);
    free(f);
    *forward = NULL;
}
