import Glibc

/// Asks the kernel for large pages: rows visited in random order then cost far fewer page walks,
/// and fresh memory far fewer page faults.
enum LargePages {
  /// A hint for memory that has yet to be written; without effect where it can't be followed.
  static func prefer(_ buffer: UnsafeRawBufferPointer) {
    let page = 4096
    guard buffer.count >= 4 << 20, let start = buffer.baseAddress else { return }
    let skipped = (page - Int(bitPattern: start) % page) % page
    let length = (buffer.count - skipped) / page * page
    _ = madvise(UnsafeMutableRawPointer(mutating: start + skipped), length, MADV_HUGEPAGE)
  }
}
