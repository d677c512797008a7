#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

// curl's options are variadic, which Swift can't call: one function per kind of argument.
static inline CURLcode curl_set_long(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode curl_set_text(CURL *handle, CURLoption option, const char *value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode curl_set_pointer(CURL *handle, CURLoption option, void *value) {
  return curl_easy_setopt(handle, option, value);
}
typedef size_t (*curl_transfer)(char *bytes, size_t size, size_t count, void *context);
static inline CURLcode curl_set_transfer(CURL *handle, CURLoption option, curl_transfer value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode curl_get_long(CURL *handle, CURLINFO info, long *value) {
  return curl_easy_getinfo(handle, info, value);
}

// Must come before any other call, from one thread.
static inline CURLcode curl_start(void) { return curl_global_init(CURL_GLOBAL_ALL); }

// Performs a transfer without the signal that a write to a closed connection raises, which ends a
// program: it is held back on this thread, and dropped if it came.
static inline CURLcode curl_perform_without_sigpipe(CURL *handle) {
  sigset_t pipe, before, pending;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  sigpending(&pending);
  int was_pending = sigismember(&pending, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  CURLcode code = curl_easy_perform(handle);
  struct timespec now = {0, 0};
  if (!was_pending) sigtimedwait(&pipe, NULL, &now);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return code;
}
