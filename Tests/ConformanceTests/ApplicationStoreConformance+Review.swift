import Moderation
import Ports
import Simulation
import Testing

extension ApplicationStoreConformance {
  /// A user, images 1…5, and comment 11 on image 1, 12 on image 2, and so on.
  private static func prepare(_ store: any ApplicationStore) async throws {
    _ = try await store.commit([.insertUser(Rows.user(1))])
    _ = try await store.commit((1...5).map { .insertImage(Rows.image($0)) })
    _ = try await store.commit((1...5).map { .insertComment(Rows.comment(10 + $0, on: $0)) })
  }

  private static func image(_ id: UInt64, _ risk: Double, flags: Int = 1) -> ReviewItem {
    ReviewItem(target: .image(.number(id)), riskScore: risk, pendingFlags: flags)
  }

  private static func comment(_ id: UInt64, _ risk: Double, flags: Int = 1) -> ReviewItem {
    ReviewItem(target: .comment(.number(id)), riskScore: risk, pendingFlags: flags)
  }

  @Test(
    "10. The queue is by risk, highest first; a comment takes its image's",
    arguments: Adapters.applicationStores)
  func queueOrder(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      try await Self.prepare(store)
      _ = try await store.commit([
        .insertModeration(Rows.moderation(1, image: 1, risk: 0.2)),
        .insertModeration(Rows.moderation(2, image: 2, risk: 0.9)),
        .insertModeration(Rows.moderation(3, image: 2, risk: 0.4)),
        .insertModeration(Rows.moderation(4, image: 3, risk: 0.7)),
        .insertModeration(Rows.moderation(5, image: 4, risk: 1)),
        .insertFlag(Rows.flag(1, image: 1)), .insertFlag(Rows.flag(2, image: 2)),
        .insertFlag(Rows.flag(3, comment: 13)), .insertFlag(Rows.flag(4, image: 5)),
      ])
      let queue = [Self.image(2, 0.9), Self.comment(13, 0.7), Self.image(1, 0.2), Self.image(5, 0)]
      #expect(try await store.reviewQueue(limit: 9) == queue)
      for limit in 0...4 {
        #expect(try await store.reviewQueue(limit: limit) == Array(queue.prefix(limit)))
      }
    }
  }

  @Test("10. A shadow's scores don't count", arguments: Adapters.applicationStores)
  func queueIgnoresShadows(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      try await Self.prepare(store)
      var shadow = Rows.moderation(3, image: 1, risk: 0.99)
      shadow.inferenceMode = "shadow"
      _ = try await store.commit([
        .insertModeration(Rows.moderation(1, image: 1, risk: 0.2)),
        .insertModeration(Rows.moderation(2, image: 2, risk: 0.4)),
        .insertModeration(shadow),
        .insertFlag(Rows.flag(1, image: 1)), .insertFlag(Rows.flag(2, image: 2)),
      ])
      #expect(
        try await store.reviewQueue(limit: 9) == [Self.image(2, 0.4), Self.image(1, 0.2)])
    }
  }

  @Test("10. Items of equal risk are by id", arguments: Adapters.applicationStores)
  func queueTies(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      try await Self.prepare(store)
      for id in [3, 1, 2] as [UInt64] {
        _ = try await store.commit([.insertFlag(Rows.flag(id, image: id))])
      }
      #expect(
        try await store.reviewQueue(limit: 9)
          == [Self.image(1, 0), Self.image(2, 0), Self.image(3, 0)])
    }
  }

  @Test(
    "10. Items of equal risk are by id, images and comments alike",
    arguments: Adapters.applicationStores)
  func queueTiesAcrossTypes(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      try await Self.prepare(store)
      _ = try await store.commit([
        .insertFlag(Rows.flag(1, comment: 11)), .insertFlag(Rows.flag(2, image: 2)),
      ])
      #expect(
        try await store.reviewQueue(limit: 9) == [Self.image(2, 0), Self.comment(11, 0)])
    }
  }

  @Test(
    "10. Each item is there once, with its pending flags", arguments: Adapters.applicationStores)
  func queueOnce(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      try await Self.prepare(store)
      _ = try await store.commit([
        .insertFlag(Rows.flag(1, image: 1)), .insertFlag(Rows.flag(2, image: 1)),
        .insertFlag(Rows.flag(3, comment: 11)), .insertFlag(Rows.flag(4, comment: 11)),
        .insertFlag(Rows.flag(5, image: 1)), .insertModeration(Rows.moderation(1, image: 1)),
        .insertModeration(Rows.moderation(2, image: 1)),
      ])
      let queue = try await store.reviewQueue(limit: 9)
      #expect(Set(queue) == [Self.image(1, 0.5, flags: 3), Self.comment(11, 0.5, flags: 2)])
      #expect(queue.count == 2)
    }
  }

  @Test("10. What is deleted isn't in the queue", arguments: Adapters.applicationStores)
  func queueWithoutDeleted(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      try await Self.prepare(store)
      _ = try await store.commit([
        .insertFlag(Rows.flag(1, image: 1)), .insertFlag(Rows.flag(2, image: 2)),
        .insertFlag(Rows.flag(3, comment: 13)), .insertFlag(Rows.flag(4, comment: 14)),
      ])
      _ = try await store.commit([
        .deleteImage(.number(1), at: Sample.at(1)), .deleteComment(.number(13), at: Sample.at(1)),
      ])
      #expect(
        Set(try await store.reviewQueue(limit: 9).map(\.target))
          == [.image(.number(2)), .comment(.number(14))])
    }
  }

  @Test(
    "10. What is settled isn't in the queue until it is flagged again",
    arguments: Adapters.applicationStores)
  func queueWithoutSettled(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      try await Self.prepare(store)
      _ = try await store.commit([
        .insertFlag(Rows.flag(1, image: 1)), .insertFlag(Rows.flag(2, image: 1)),
        .insertFlag(Rows.flag(3, image: 2)), .insertModeration(Rows.moderation(7, image: 1)),
      ])
      let settled = try await store.commit([
        .resolveFlags(
          .image(.number(1)), status: .confirmed, by: .number(7), at: Sample.at(3))
      ])
      #expect(settled.map(\.changed) == [2])
      #expect(try await store.reviewQueue(limit: 9) == [Self.image(2, 0)])
      let flags = try await store.snapshot().flags
      #expect(flags.map(\.reviewStatus) == [.confirmed, .confirmed, .pending])
      #expect(flags.map(\.resolvedAt) == [Sample.at(3), Sample.at(3), nil])
      #expect(flags.map(\.moderationActionID) == [.number(7), .number(7), nil])
      _ = try await store.commit([.insertFlag(Rows.flag(4, image: 1))])
      #expect(
        try await store.reviewQueue(limit: 9) == [Self.image(1, 0.5), Self.image(2, 0)])
    }
  }

  @Test(
    "11. An image is visible when it exists and isn't deleted",
    arguments: Adapters.applicationStores)
  func visible(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      try await Rows.insertFirst(into: store)
      let keys = [RowKey.visibleImage(.number(1)), .visibleImage(.number(9))]
      let before = try await store.fetch(keys)
      #expect(before == [.visible, nil])
      _ = try await store.commit([.deleteImage(.number(1), at: Sample.at(5))])
      let after = try await store.fetch(keys)
      #expect(after == [nil, nil])
    }
  }
}
