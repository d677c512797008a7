import CParquet

/// Memory that Arrow structs point into: freed at once, when the arena goes.
final class ArrowArena {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit {
    for block in blocks { block.deallocate() }
  }

  /// Room for `count` trivial values, uninitialised.
  func allocate<Value: BitwiseCopyable>(
    _ type: Value.Type, count: Int
  ) -> UnsafeMutablePointer<Value> {
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<Value>.stride, alignment: 64)
    blocks.append(block)
    return block.bindMemory(to: type, capacity: max(count, 1))
  }

  /// A copy of `bytes`, with a zero after it.
  func copy(_ bytes: some Collection<UInt8>) -> UnsafePointer<CChar> {
    let copy = allocate(CChar.self, count: bytes.count + 1)
    for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
    copy[bytes.count] = 0
    return UnsafePointer(copy)
  }

  /// A column of `count` values.
  func column<Value: BitwiseCopyable>(
    _ values: some Sequence<Value>, count: Int
  ) -> UnsafeRawPointer {
    let column = allocate(Value.self, count: count)
    for (index, value) in values.enumerated() { column[index] = value }
    return UnsafeRawPointer(column)
  }

  /// A bitmap of `flags`, the first in the lowest bit.
  func bitmap(_ flags: [Bool]) -> UnsafePointer<UInt8> {
    let bitmap = allocate(UInt8.self, count: (flags.count + 7) / 8)
    flags.withUnsafeBytes { bytes in
      let whole = bytes.count / 8
      for index in 0..<whole {
        // Eight bytes of 0 or 1: this product gathers their lowest bits in its highest byte.
        let eight = UInt64(
          littleEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        bitmap[index] = UInt8(truncatingIfNeeded: (eight &* 0x0102_0408_1020_4080) >> 56)
      }
      if whole * 8 < bytes.count {
        bitmap[whole] = (whole * 8..<bytes.count).reduce(0) { $0 | bytes[$1] << UInt8($1 & 7) }
      }
    }
    return UnsafePointer(bitmap)
  }

  /// A struct array or a column; its memory stays the arena's, so releasing only marks it.
  func array(
    count: Int, nullCount: Int = -1, buffers: [UnsafeRawPointer?],
    children: [UnsafeMutablePointer<ArrowArray>] = []
  ) -> UnsafeMutablePointer<ArrowArray> {
    let bufferList = allocate(UnsafeRawPointer?.self, count: buffers.count)
    for (index, buffer) in buffers.enumerated() { bufferList[index] = buffer }
    let childList = allocate(UnsafeMutablePointer<ArrowArray>?.self, count: children.count)
    for (index, child) in children.enumerated() { childList[index] = child }
    let array = allocate(ArrowArray.self, count: 1)
    array.initialize(
      to: ArrowArray(
        length: Int64(count), null_count: Int64(nullCount), offset: 0,
        n_buffers: Int64(buffers.count), n_children: Int64(children.count), buffers: bufferList,
        children: childList, dictionary: nil, release: { $0?.pointee.release = nil },
        private_data: nil))
    return array
  }

  /// A struct type or a column's type; its memory stays the arena's, so releasing only marks it.
  func schema(
    format: String, name: String, metadata: [UInt8]? = nil, isNullable: Bool = false,
    children: [UnsafeMutablePointer<ArrowSchema>] = []
  ) -> UnsafeMutablePointer<ArrowSchema> {
    let childList = allocate(UnsafeMutablePointer<ArrowSchema>?.self, count: children.count)
    for (index, child) in children.enumerated() { childList[index] = child }
    let schema = allocate(ArrowSchema.self, count: 1)
    schema.initialize(
      to: ArrowSchema(
        format: copy(format.utf8), name: copy(name.utf8), metadata: metadata.map { copy($0) },
        flags: isNullable ? Int64(ARROW_FLAG_NULLABLE) : 0, n_children: Int64(children.count),
        children: childList, dictionary: nil, release: { $0?.pointee.release = nil },
        private_data: nil))
    return schema
  }
}
