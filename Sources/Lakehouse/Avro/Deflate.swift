import CZlib

/// Raw deflate (RFC 1951) by the platform's zlib, as Avro's `deflate` codec has it: no zlib header.
enum Deflate {
  /// The bytes deflated. Equal for equal bytes and the same build of zlib, not across builds.
  static func deflated(_ bytes: [UInt8]) throws(AvroError) -> [UInt8] {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    var code = deflateInit2_(
      &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
    guard code == Z_OK else { throw AvroError("zlib can't start to deflate: code \(code)") }
    defer { deflateEnd(&stream) }
    guard let count = UInt32(exactly: bytes.count) else {
      throw AvroError("a block of \(bytes.count) bytes is too large to deflate")
    }
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, uLong(bytes.count))))
    var input = bytes
    input.withUnsafeMutableBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        stream.next_in = source.baseAddress
        stream.avail_in = count
        stream.next_out = target.baseAddress
        stream.avail_out = UInt32(target.count)
        code = deflate(&stream, Z_FINISH)
      }
    }
    guard code == Z_STREAM_END else { throw AvroError("zlib can't deflate: code \(code)") }
    output.removeLast(output.count - Int(stream.total_out))
    return output
  }

  /// The bytes inflated, at most `limit`. Up to four bytes after the stream are passed over: Avro's
  /// Python writers cut zlib's header from the front but leave its checksum at the end.
  static func inflated(_ slice: ArraySlice<UInt8>, limit: Int) throws(AvroError) -> [UInt8] {
    try inflated(slice, limit: limit, windowBits: -15)
  }

  /// The bytes of a gzip file (RFC 1952), at most `limit`.
  static func unzipped(_ bytes: [UInt8], limit: Int) throws(AvroError) -> [UInt8] {
    try inflated(bytes[...], limit: limit, windowBits: 16 + 15)
  }

  private static func inflated(
    _ slice: ArraySlice<UInt8>, limit: Int, windowBits: Int32
  ) throws(AvroError) -> [UInt8] {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    var code = inflateInit2_(&stream, windowBits, ZLIB_VERSION, size)
    guard code == Z_OK else { throw AvroError("zlib can't start to inflate: code \(code)") }
    defer { inflateEnd(&stream) }
    guard let count = UInt32(exactly: slice.count), count > 0 else {
      throw AvroError("\(slice.count) bytes can't be a deflated block")
    }
    var input = Array(slice)
    var output: [UInt8] = []
    input.withUnsafeMutableBufferPointer { source in
      stream.next_in = source.baseAddress
      stream.avail_in = count
      var room = min(limit, max(4 * source.count, 4096))
      repeat {
        output += [UInt8](unsafeUninitializedCapacity: room) { target, count in
          stream.next_out = target.baseAddress
          stream.avail_out = UInt32(room)
          code = inflate(&stream, Z_NO_FLUSH)
          count = room - Int(stream.avail_out)
        }
        room = min(limit - output.count, output.count)
      } while code == Z_OK && stream.avail_out == 0 && room > 0
    }
    guard code == Z_STREAM_END else { throw Self.failure(code, stream, limit: limit) }
    guard stream.avail_in <= 4 else {
      throw AvroError("\(stream.avail_in) bytes after the deflated block's end")
    }
    return output
  }

  private static func failure(_ code: Int32, _ stream: z_stream, limit: Int) -> AvroError {
    guard code == Z_OK || code == Z_BUF_ERROR else {
      let message = stream.msg.map { String(cString: $0) } ?? "no message"
      return AvroError("zlib can't inflate: \(message) (code \(code))")
    }
    return stream.avail_out == 0
      ? AvroError("a block inflates to more than \(limit) bytes")
      : AvroError("the deflated block is cut short")
  }
}
