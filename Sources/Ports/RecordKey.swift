import Moderation

/// A record's key. Nearly all keys are ids: those are kept as such, and take no memory of their
/// own. Two keys are equal when their bytes are.
public struct RecordKey: Hashable, Sendable {
  private enum Form: Hashable, Sendable {
    /// The 36 bytes of an id's text.
    case id(ID<RecordKey>)
    /// Anything else.
    case bytes([UInt8])
  }

  private let form: Form

  /// The key of these bytes.
  public init(_ bytes: [UInt8]) {
    // Only the text that an id has itself: a key in capitals is another key.
    if let id = bytes.withUnsafeBufferPointer({ ID<RecordKey>(utf8: $0) }),
      id.withText({ text in text.elementsEqual(bytes) })
    {
      form = .id(id)
    } else {
      form = .bytes(bytes)
    }
  }

  /// The text of an id as a key.
  public init<Entity>(_ id: ID<Entity>) { form = .id(id.reinterpreted(as: RecordKey.self)) }

  /// The bytes, as a broker keeps them.
  public var bytes: [UInt8] {
    switch form {
    case .id(let id): id.withText { Array($0) }
    case .bytes(let bytes): bytes
    }
  }

  /// The partition among `count` that Kafka's Java client chooses.
  public func partition(of count: Int) -> Int {
    switch form {
    case .id(let id): id.withText { Murmur2.partition(of: $0, count: count) }
    case .bytes(let bytes): Murmur2.partition(of: bytes, count: count)
    }
  }
}
