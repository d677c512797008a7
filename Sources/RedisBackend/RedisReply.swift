import CHiredis

/// What Redis answers to one command.
enum RedisReply: Hashable, Sendable {
  /// Nothing: a key or field that isn't there.
  case null
  /// A whole number.
  case integer(Int64)
  /// A string or a status.
  case text(String)
  /// A list of replies.
  case list([RedisReply])
  /// An error: its code, a space, and what is wrong.
  case error(String)

  /// Copies a reply of hiredis; what an attacker could nest deeper than Redis does is cut off by
  /// hiredis at seven levels.
  init(_ reply: redisReply) {
    switch reply.type {
    case REDIS_REPLY_INTEGER: self = .integer(reply.integer)
    case REDIS_REPLY_ARRAY:
      let elements = UnsafeBufferPointer(start: reply.element, count: reply.elements)
      self = .list(elements.map { element in element.map { RedisReply($0.pointee) } ?? .null })
    case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: self = .text(Self.text(reply))
    case REDIS_REPLY_ERROR: self = .error(Self.text(reply))
    default: self = .null
    }
  }

  /// The text of a string; nil of anything else.
  var text: String? {
    if case .text(let text) = self { text } else { nil }
  }

  /// The number of an integer; nil of anything else.
  var integer: Int64? {
    if case .integer(let number) = self { number } else { nil }
  }

  /// The elements of a list; nil of anything else.
  var list: [RedisReply]? {
    if case .list(let elements) = self { elements } else { nil }
  }

  private static func text(_ reply: redisReply) -> String {
    let bytes = UnsafeRawBufferPointer(start: reply.str, count: reply.len)
    return String(decoding: bytes, as: UTF8.self)
  }
}
