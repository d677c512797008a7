import CParquet
import Ports

/// Strings: each is validated once, as it is copied out of Arrow's buffers.
extension ArrowColumn {
  /// A column of offsets and bytes.
  func append<Offset: FixedWidthInteger>(
    offsets: Offset.Type, to strings: inout [String], _ validity: [Bool]?
  ) throws(ParquetError) {
    guard count > 0, let ends = buffer(1, of: offsets) else { return appendEmpty(to: &strings) }
    let bytes = bytes(2)
    let size = Int(ends[count])
    for row in 0..<count {
      let start = Int(ends[row])
      let end = Int(ends[row + 1])
      guard 0 <= start, start <= end, end <= size else {
        throw failure("row \(row)'s text is at \(start)..<\(end) of \(size) bytes")
      }
      guard let bytes, validity?[row] ?? true else {
        strings.append("")
        continue
      }
      strings.append(try string(bytes + start, count: end - start, row: row))
    }
  }

  private func appendEmpty(to strings: inout [String]) {
    strings.append(contentsOf: repeatElement("", count: count))
  }

  /// A column of 16-byte views: short texts lie in the view, others in one of several buffers.
  func appendViews(
    to strings: inout [String], _ validity: [Bool]?
  ) throws(ParquetError) {
    guard count > 0, let first = bytes(1) else { return appendEmpty(to: &strings) }
    let bufferCount = Int(array.n_buffers) - 3
    let sizes = bytes(Int(array.n_buffers) - 1)?.assumingMemoryBound(to: Int64.self)
    for row in 0..<count {
      guard validity?[row] ?? true else {
        strings.append("")
        continue
      }
      let view = first + (offset + row) * 16
      let size = Int(view.loadUnaligned(as: Int32.self))
      if (0...12).contains(size) {
        strings.append(try string(view + 4, count: size, row: row))
        continue
      }
      let index = Int(view.loadUnaligned(fromByteOffset: 8, as: Int32.self))
      let start = Int(view.loadUnaligned(fromByteOffset: 12, as: Int32.self))
      guard size > 0, start >= 0, (0..<bufferCount).contains(index), let sizes,
        start + size <= sizes[index], let bytes = bytes(2 + index)
      else { throw failure("row \(row)'s text is outside its buffers") }
      strings.append(try string(bytes + start, count: size, row: row))
    }
  }

  /// A column of indices into a dictionary: rows with the same text share one string's storage.
  func append(
    from dictionary: ArrowColumn, to strings: inout [String], _ validity: [Bool]?
  ) throws(ParquetError) {
    guard case let column = try dictionary.decoded(), case .strings(let distinct) = column.values
    else {
      throw failure("a dictionary of \(dictionary.type.name) can't be read")
    }
    switch ArrowType(format: schemaFormat) {
    case .int8: try append(distinct, at: Int8.self, to: &strings, validity)
    case .uint8: try append(distinct, at: UInt8.self, to: &strings, validity)
    case .int16: try append(distinct, at: Int16.self, to: &strings, validity)
    case .uint16: try append(distinct, at: UInt16.self, to: &strings, validity)
    case .int32: try append(distinct, at: Int32.self, to: &strings, validity)
    case .uint32: try append(distinct, at: UInt32.self, to: &strings, validity)
    case .int64: try append(distinct, at: Int64.self, to: &strings, validity)
    default: throw failure("a dictionary with \(schemaFormat) indices can't be read")
    }
  }

  private func append<Index: FixedWidthInteger>(
    _ distinct: [String], at type: Index.Type, to strings: inout [String], _ validity: [Bool]?
  ) throws(ParquetError) {
    guard let indices = buffer(1, of: type) else { return appendEmpty(to: &strings) }
    // As a buffer, whose own reference isn't counted for each row.
    let failed = distinct.withUnsafeBufferPointer { texts -> Int? in
      for row in 0..<count {
        guard validity?[row] ?? true else {
          strings.append("")
          continue
        }
        guard let index = Int(exactly: indices[row]), 0 <= index, index < texts.count else {
          return row
        }
        strings.append(texts[index])
      }
      return nil
    }
    if let row = failed {
      throw failure("row \(row) is text \(indices[row]) of \(distinct.count) in the dictionary")
    }
  }

  private func string(
    _ bytes: UnsafeRawPointer, count: Int, row: Int
  ) throws(ParquetError) -> String {
    let text = UnsafeBufferPointer(start: bytes.assumingMemoryBound(to: UInt8.self), count: count)
    // ASCII is valid as it stands, and nearly all text is. To look at every byte is quicker than to
    // stop at the first other one: many are looked at in one step.
    var union: UInt8 = 0
    for byte in text { union |= byte }
    if union < 0x80 { return String(decoding: text, as: UTF8.self) }
    guard let string = String(validating: text, as: UTF8.self) else {
      throw failure("row \(row)'s text isn't UTF-8")
    }
    return string
  }
}
