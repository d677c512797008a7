/// When one user's images were created and deleted: how many there were as of any instant.
public struct UploadHistory: Hashable, Sendable {
  private var created: [EventTime] = []
  private var deleted: [EventTime] = []

  /// A user without images.
  public init() {}

  /// Notes an image, and its deletion if it is deleted.
  public mutating func add(_ image: Image) {
    created.insert(image.createdAt, at: Self.rank(image.createdAt, in: created))
    if let time = image.deletedAt { add(deleted: time) }
  }

  /// Notes the deletion of an image that was noted before.
  public mutating func add(deleted time: EventTime) {
    deleted.insert(time, at: Self.rank(time, in: deleted))
  }

  /// Images created up to an instant, deleted or not.
  public func created(asOf time: EventTime) -> Int { Self.rank(time, in: created) }

  /// Images created up to an instant and not deleted by then.
  public func existing(asOf time: EventTime) -> Int {
    Self.rank(time, in: created) - Self.rank(time, in: deleted)
  }

  /// How many of the ascending `times` are at or before `bound`.
  private static func rank(_ bound: EventTime, in times: [EventTime]) -> Int {
    var low = 0
    var high = times.count
    while low < high {
      let middle = (low + high) / 2
      if times[middle] <= bound { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
