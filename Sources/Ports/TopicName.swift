import Moderation
import Synchronization

/// A topic's name as a number that this process gave it: it has no memory of its own to count
/// references to, and two compare in one step. Every record names its topic.
public struct TopicName: Hashable, Sendable {
  private struct Names {
    var texts: [String] = []
    var numbers: [String: UInt32] = [:]
  }

  private static let names = Mutex(Names())

  /// Which of the names it is, from 0, in the order in which the process met them.
  private let number: UInt32

  /// The topic of this name.
  public init(_ text: String) {
    number = Self.names.withLock { names in
      if let known = names.numbers[text] { return known }
      let number = UInt32(names.texts.count)
      names.texts.append(text)
      names.numbers[text] = number
      return number
    }
  }

  /// The name.
  public var text: String { Self.names.withLock { $0.texts[Int(number)] } }

  /// Feeds the number.
  public func hash(into hasher: inout Hasher) { hasher.combine(number) }

  /// One multiplication: every record is looked up by its topic. See ``ID``.
  public func _rawHashValue(seed: Int) -> Int { Self.mixed(UInt64(number), seed) }

  /// A hash of the topic and something beside it.
  func mixed(with other: Int, seed: Int) -> Int {
    Self.mixed(UInt64(number) << 32 ^ UInt64(bitPattern: Int64(other)), seed)
  }

  private static func mixed(_ word: UInt64, _ seed: Int) -> Int {
    let mixed = (word ^ UInt64(bitPattern: Int64(seed))) &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: Int64(bitPattern: mixed ^ (mixed >> 32)))
  }
}

extension TopicName: Comparable {
  /// Orders by the text.
  public static func < (a: Self, b: Self) -> Bool { a != b && a.text < b.text }
}

extension TopicName {
  /// ``Topic/moderationRequests``.
  public static let moderationRequests = TopicName(Topic.moderationRequests)
  /// ``Topic/resolved``.
  public static let resolved = TopicName(Topic.resolved)
  /// ``Topic/featureLog``.
  public static let featureLog = TopicName(Topic.featureLog)
  /// ``EventKind/topic`` of uploads.
  private static let uploads = TopicName(EventKind.upload.topic)
  private static let views = TopicName(EventKind.view.topic)
  private static let comments = TopicName(EventKind.comment.topic)
  private static let flags = TopicName(EventKind.flag.topic)

  /// ``EventKind/topic``.
  public init(_ kind: EventKind) {
    self =
      switch kind {
      case .upload: Self.uploads
      case .view: Self.views
      case .comment: Self.comments
      case .flag: Self.flags
      }
  }
}
