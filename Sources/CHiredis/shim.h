#include <errno.h>
#include <hiredis/hiredis.h>
#include <sys/socket.h>

// hiredis writes with write(2), which raises SIGPIPE when the server has closed the connection.
// Returns how many bytes were written, or -1 with errno.
static inline long chiredis_send(const redisContext *context, const void *bytes, size_t count) {
  long written;
  do {
    written = send(context->fd, bytes, count, MSG_NOSIGNAL);
  } while (written < 0 && errno == EINTR);
  return written;
}

// Whether an idle connection is no longer one: closed by the server, or it sends unasked.
static inline int chiredis_is_stale(const redisContext *context) {
  char byte;
  long got = recv(context->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return !(got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}
