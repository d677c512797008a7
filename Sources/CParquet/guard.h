// Turns whatever goes wrong in C++ into a text on the C heap.
#ifndef CPARQUET_GUARD_H
#define CPARQUET_GUARD_H

#include <arrow/status.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

namespace cparquet {

/// A copy of `text` that free() frees. Never NULL: NULL means success, so when even this
/// allocation fails the process has nothing left to say it with.
inline char *error_text(const std::string &text) {
  char *copy = strdup(text.c_str());
  if (copy == nullptr) std::abort();
  return copy;
}

/// Runs `body`, which returns a Status, and gives NULL or the error's text.
template <typename Body>
char *guarded(Body &&body) noexcept {
  try {
    const arrow::Status status = body();
    return status.ok() ? nullptr : error_text(status.ToString());
  } catch (const std::bad_alloc &) {
    return error_text("out of memory");
  } catch (const std::exception &error) {
    return error_text(error.what());
  } catch (...) {
    return error_text("an unknown C++ exception");
  }
}

}  // namespace cparquet

#endif  // CPARQUET_GUARD_H
