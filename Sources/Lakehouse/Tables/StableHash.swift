import Moderation

/// Names made from content: the same in every process and run, as Swift's own hashes aren't.
enum StableHash {
  /// FNV-1a.
  static func of(_ bytes: some Sequence<UInt8>, seed: UInt64 = 0) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325 ^ seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  /// A UUID (RFC 9562, version 8).
  static func uuid(_ bytes: some Sequence<UInt8>) -> String {
    let high = of(bytes) & ~0xF000 | 0x8000
    let low = of(bytes, seed: 0x9e37_79b9_7f4a_7c15) & ~(0b11 << 62) | (0b10 << 62)
    return IDText.string(high, low)
  }
}

extension TableState {
  /// Tells apart the files of commits with the same id on different bases: without it, one that
  /// stalled could write over the live files of its successor.
  func tag(_ id: Int64) -> String {
    String(StableHash.of("\(file) \(id)".utf8), radix: 16)
  }
}
