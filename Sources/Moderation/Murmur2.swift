/// The hash by which Kafka's Java client places a key (`org.apache.kafka.common.utils.Utils`).
public enum Murmur2 {
  /// The 32-bit murmur2 of `bytes` with Kafka's seed 0x9747b28c.
  public static func hash(_ bytes: some RandomAccessCollection<UInt8>) -> UInt32 {
    bytes.withContiguousStorageIfAvailable { hash(buffer: $0) }
      ?? Array(bytes).withUnsafeBufferPointer { hash(buffer: $0) }
  }

  /// The partition of a key: the hash without its sign, modulo the number of partitions.
  public static func partition(of key: [UInt8], count: Int) -> Int {
    key.withUnsafeBufferPointer { partition(of: $0, count: count) }
  }

  /// The partition of a key: the hash without its sign, modulo the number of partitions.
  public static func partition(of key: UnsafeBufferPointer<UInt8>, count: Int) -> Int {
    Int(hash(buffer: key) & 0x7FFF_FFFF) % count
  }

  private static func hash(buffer: UnsafeBufferPointer<UInt8>) -> UInt32 {
    let multiplier: UInt32 = 0x5bd1_e995
    let length = buffer.count
    var hash: UInt32 = 0x9747_b28c ^ UInt32(truncatingIfNeeded: length)
    var index = 0
    let raw = UnsafeRawBufferPointer(buffer)
    while index + 4 <= length {
      var word = UInt32(
        littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt32.self))
      word = word &* multiplier
      word ^= word >> 24
      word = word &* multiplier
      hash = hash &* multiplier
      hash ^= word
      index += 4
    }
    let rest = length - index
    if rest >= 3 { hash ^= UInt32(buffer[index + 2]) << 16 }
    if rest >= 2 { hash ^= UInt32(buffer[index + 1]) << 8 }
    if rest >= 1 {
      hash ^= UInt32(buffer[index])
      hash = hash &* multiplier
    }
    hash ^= hash >> 13
    hash = hash &* multiplier
    hash ^= hash >> 15
    return hash
  }
}
