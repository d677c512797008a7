/// MurmurHash3 x86_32 with seed 0 (Appleby, public domain algorithm).
enum Murmur3 {
  static func hash(_ bytes: [UInt8]) -> Int32 {
    var hash: UInt32 = 0
    let blocks = bytes.count / 4
    for block in 0..<blocks {
      let at = block * 4
      let word =
        UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
        | UInt32(bytes[at + 3]) << 24
      hash ^= mixed(word)
      hash = rotated(hash, 13) &* 5 &+ 0xe654_6b64
    }
    var tail: UInt32 = 0
    for (index, byte) in bytes[(blocks * 4)...].enumerated() { tail |= UInt32(byte) << (8 * index) }
    if bytes.count % 4 > 0 { hash ^= mixed(tail) }
    hash ^= UInt32(bytes.count)
    hash = (hash ^ hash >> 16) &* 0x85eb_ca6b
    hash = (hash ^ hash >> 13) &* 0xc2b2_ae35
    return Int32(bitPattern: hash ^ hash >> 16)
  }

  private static func mixed(_ word: UInt32) -> UInt32 {
    rotated(word &* 0xcc9e_2d51, 15) &* 0x1b87_3593
  }

  private static func rotated(_ word: UInt32, _ by: UInt32) -> UInt32 {
    word << by | word >> (32 - by)
  }
}
