// What reader and writer share: their memory, and errors as a text on the C heap.
#ifndef CPARQUET_GUARD_H
#define CPARQUET_GUARD_H

#include <arrow/memory_pool.h>
#include <arrow/status.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

namespace cparquet {

/// The program's own allocator. Arrow's bundled one asks for huge pages, and zeroing those took a
/// twentieth of a run whose tables have some hundred rows each.
inline arrow::MemoryPool *memory_pool() { return arrow::system_memory_pool(); }

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
