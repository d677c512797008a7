import Moderation

/// Names made from content: the same in every process and run, as Swift's own hashes aren't.
enum StableHash {
  /// FNV-1a.
  static func of(_ bytes: some Sequence<UInt8>, seed: UInt64 = 0) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325 ^ seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  /// A UUID for a text (RFC 9562, version 8).
  static func uuid(_ bytes: some Sequence<UInt8>) -> String {
    uuid(of(bytes), of(bytes, seed: 0x9e37_79b9_7f4a_7c15))
  }

  /// A UUID for a file: eight bytes at a time, since metadata is large and is named at each commit.
  static func uuid(ofFile bytes: [UInt8]) -> String {
    var high = UInt64(bytes.count)
    var low: UInt64 = 0xcbf2_9ce4_8422_2325
    func mix(_ word: UInt64) {
      high = (high ^ word) &* 0x9e37_79b9_7f4a_7c15
      high ^= high >> 32
      low = (low ^ word) &* 0xc2b2_ae3d_27d4_eb4f
      low ^= low >> 29
    }
    bytes.withUnsafeBytes { bytes in
      for offset in stride(from: 0, to: bytes.count - 7, by: 8) {
        mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      }
      mix(bytes.suffix(bytes.count % 8).reduce(0) { $0 << 8 | UInt64($1) })
    }
    return uuid(high, low)
  }

  private static func uuid(_ high: UInt64, _ low: UInt64) -> String {
    IDText.string(high & ~0xF000 | 0x8000, low & ~(0b11 << 62) | (0b10 << 62))
  }
}

extension TableState {
  /// Tells apart the files of commits with the same id on different bases: without it, one that
  /// stalled could write over the live files of its successor.
  func tag(_ id: Int64) -> String {
    String(StableHash.of("\(file) \(id)".utf8), radix: 16)
  }
}
