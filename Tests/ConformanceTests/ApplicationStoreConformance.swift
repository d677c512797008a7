import Moderation
import Ports
import Simulation
import Testing

/// Rules 1 to 6: what a transaction changes. The others are in two more files.
@Suite("ApplicationStore conformance")
struct ApplicationStoreConformance {
  @Test(
    "1. A commit that fails takes all its mutations back", arguments: Adapters.applicationStores)
  func rollback(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      try await Rows.insertFirst(into: store)
      let fails: [Mutation] = [
        .enqueue(Rows.event(1)), .insertUser(Rows.user(2)), .insertImage(Rows.image(2)),
        .addView(.number(1)), .deleteComment(.number(1), at: Sample.at(1)),
        .resolveFlags(.image(.number(1)), status: .rejected, by: .number(1), at: Sample.at(1)),
        .addView(.number(99)),
      ]
      let before = try await store.snapshot()
      #expect(await code { try await store.commit(fails) } == .notFound)
      let after = try await store.snapshot()
      #expect(after.users == before.users)
      #expect(after.images == before.images)
      #expect(after.comments == before.comments)
      #expect(after.flags == before.flags)
      #expect(try await store.outbox(limit: 9).isEmpty)
      #expect(try await store.fetch([.user(.number(2)), .username("user-2")]) == [nil, nil])
      let outcomes = try await store.commit(fails.dropLast())
      #expect(outcomes.count == 6, "without the fault it can be done")
    }
  }

  @Test("1. There is one outcome per mutation, in order", arguments: Adapters.applicationStores)
  func outcomes(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      try await Rows.insertFirst(into: store)
      let outcomes = try await store.commit([
        .addView(.number(1)), .insertUser(Rows.user(2)), .addView(.number(1)),
        .resolveFlags(.image(.number(1)), status: .confirmed, by: .number(1), at: Sample.at(1)),
        .resolveFlags(.image(.number(1)), status: .rejected, by: .number(1), at: Sample.at(2)),
        .enqueue(Rows.event(1)),
      ])
      #expect(outcomes.map(\.views) == [1, nil, 2, nil, nil, nil])
      #expect(outcomes.map(\.changed) == [nil, nil, nil, 1, 0, nil])
      #expect(outcomes.map(\.isDone) == [false, true, false, false, false, true])
      #expect(try await store.commit([]).isEmpty)
    }
  }

  /// An insert, the same id with other contents, and the table's key.
  static let repeats: [(first: Mutation, again: Mutation, key: RowKey)] = [
    (.insertUser(Rows.user(2)), .insertUser(Rows.user(2, "other")), .user(.number(2))),
    (.insertImage(Rows.image(2)), .insertImage(Rows.image(2, at: 9)), .image(.number(2))),
    (.insertComment(Rows.comment(2)), .insertComment(Rows.comment(2, at: 9)), .comment(.number(2))),
    (.insertFlag(Rows.flag(2, image: 1)), .insertFlag(Rows.flag(2, comment: 1)), .flag(.number(2))),
    (
      .insertModeration(Rows.moderation(2)), .insertModeration(Rows.moderation(2, risk: 0.9)),
      .moderation(.number(2))
    ),
  ]

  @Test(
    "2. An insert of an id that exists makes the whole commit a no-op and reports the first row",
    arguments: Adapters.applicationStores, repeats.indices)
  func repeated(adapter: Adapter<any ApplicationStore>, index: Int) throws {
    try simulate(adapter) { store, _ in
      let (first, again, key) = Self.repeats[index]
      try await Rows.insertFirst(into: store)
      let outcomes = try await store.commit([first, .enqueue(Rows.event(1))])
      #expect(outcomes.allSatisfy { $0.isDone })
      let stored = try await store.fetch([key])
      #expect(stored.first != .some(nil))
      let retried = try await store.commit([
        .enqueue(Rows.event(2)), again, .addView(.number(1)), .insertUser(Rows.user(3)),
      ])
      #expect(retried.count == 4)
      #expect(retried.map(\.existing) == [nil, stored[0], nil, nil])
      #expect(try await store.fetch([key]) == stored)
      #expect(try await store.outboxText() == ["1"])
      let untouched = try await store.fetch([.user(.number(3)), .image(.number(1))])
      #expect(untouched == [nil, .image(Rows.image(1))])
    }
  }

  @Test(
    "2. A view whose key was seen is done once, its event too",
    arguments: Adapters.applicationStores)
  func keyedViews(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      try await Rows.insertFirst(into: store)
      func view(_ image: ImageID, _ key: UInt64?, _ event: Int) async throws(PortError) -> [Int?] {
        try await store.commit([
          .addView(image, key: key.map { .number($0) }), .enqueue(Rows.event(event)),
        ]).map(\.views)
      }
      #expect(try await view(.number(1), 1, 1) == [1, nil])
      #expect(try await view(.number(1), 1, 2) == [1, nil])
      #expect(await code { try await view(.number(9), 2, 3) } == .notFound)
      #expect(try await store.outboxText() == ["1"])
      #expect(try await view(.number(1), 2, 4) == [2, nil], "a view that failed left no key")
      #expect(try await view(.number(1), nil, 5) == [3, nil])
      #expect(try await view(.number(1), nil, 6) == [4, nil], "without a key each one counts")
      let turned: [Mutation] = [.enqueue(Rows.event(7)), .addView(.number(1), key: .number(2))]
      #expect(try await store.commit(turned).map(\.views) == [nil, 4])
      #expect(try await store.outboxText() == ["1", "4", "5", "6"])
    }
  }

  @Test(
    "3. A user whose name is taken isn't inserted; the outcome is who has it",
    arguments: Adapters.applicationStores)
  func nameTaken(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      _ = try await store.commit([.insertUser(Rows.user(1, "ann"))])
      let outcomes = try await store.commit([.insertUser(Rows.user(2, "ann"))])
      #expect(outcomes.map(\.existing) == [.user(Rows.user(1, "ann"))])
      let rows = try await store.fetch([.user(.number(2)), .username("ann"), .username("Ann")])
      #expect(rows == [nil, .user(Rows.user(1, "ann")), nil])
    }
  }

  @Test(
    "3. Two users of one commit can't have the same name", arguments: Adapters.applicationStores)
  func nameTakenWithin(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      let commit: [Mutation] = [
        .insertUser(Rows.user(1, "ann")), .insertUser(Rows.user(2, "ann")),
      ]
      _ = await failure { try await store.commit(commit) }
      let users = try await store.snapshot().users
      #expect(users.filter { $0.username == "ann" }.count <= 1)
    }
  }

  @Test(
    "3. A change of name frees the old one and takes no other's",
    arguments: Adapters.applicationStores)
  func renamed(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      _ = try await store.commit([.insertUser(Rows.user(1, "a")), .insertUser(Rows.user(2, "b"))])
      _ = try await store.commit([.updateUser(Rows.user(1, "c"))])
      let rows = try await store.fetch([.username("a"), .username("c")])
      #expect(rows == [nil, .user(Rows.user(1, "c"))])
      _ = await failure { try await store.commit([.updateUser(Rows.user(1, "b"))]) }
      let names = try await store.snapshot().users.map(\.username)
      #expect(Set(names).count == names.count, "names are unique: \(names)")
    }
  }

  /// Mutations that refer to a row 9, and the field that does.
  static let missing: [(mutation: Mutation, field: String)] = [
    (.insertImage(Rows.image(2, by: 9)), "user_id"),
    (.insertComment(Rows.comment(2, on: 9)), "image_id"),
    (.insertComment(Rows.comment(2, by: 9)), "user_id"),
    (.insertFlag(Rows.flag(2, image: 1, by: 9)), "user_id"),
    (.insertFlag(Rows.flag(2, image: 9)), "image_id"),
    (.insertFlag(Rows.flag(2, comment: 9)), "comment_id"),
    (.insertFlag(Rows.flag(2, image: 1, comment: 9)), "comment_id"),
    (.hideComment(.number(1), by: .number(9)), "moderator_action_id"),
    (
      .resolveFlags(.image(.number(1)), status: .rejected, by: .number(9), at: Sample.start),
      "moderation_action_id"
    ),
  ]

  @Test(
    "4. A reference to a row that doesn't exist throws with the field's name",
    arguments: Adapters.applicationStores, missing.indices)
  func missingReference(adapter: Adapter<any ApplicationStore>, index: Int) throws {
    try simulate(adapter) { store, _ in
      let (mutation, field) = Self.missing[index]
      try await Rows.insertFirst(into: store)
      let commit: [Mutation] = [.enqueue(Rows.event(1)), mutation]
      let error = await failure { try await store.commit(commit) }
      #expect(error?.code == .missingReference)
      #expect(error?.hint.contains(field) == true, "\(error?.hint ?? "no error")")
      #expect(error?.isRetryable == false)
      #expect(try await store.outbox(limit: 9).isEmpty)
    }
  }

  @Test(
    "4. A row may refer to one that the same commit inserted before it",
    arguments: Adapters.applicationStores)
  func referenceWithin(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      _ = try await store.commit([
        .insertUser(Rows.user(1)), .insertImage(Rows.image(1)), .insertComment(Rows.comment(1)),
        .insertFlag(Rows.flag(1, comment: 1)), .insertModeration(Rows.moderation(1)),
        .hideComment(.number(1), by: .number(1)), .addView(.number(1)),
      ])
      #expect(try await store.snapshot().comments.map(\.isModeratorHidden) == [true])
    }
  }

  @Test(
    "5. A moderation row whose request and mode exist is ignored and reported, alone",
    arguments: Adapters.applicationStores)
  func moderationOnce(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      try await Rows.insertFirst(into: store)
      let first = Rows.moderation(2, request: 7, risk: 0.1)
      _ = try await store.commit([.insertModeration(first)])
      let outcomes = try await store.commit([
        .insertModeration(Rows.moderation(3, request: 7, risk: 0.2)), .enqueue(Rows.event(1)),
        .insertModeration(Rows.moderation(4, request: 7, mode: "shadow")),
        .insertModeration(Rows.moderation(5, request: 8)),
      ])
      #expect(outcomes.map(\.existing) == [.moderation(first), nil, nil, nil])
      let keys = (2...5).map { RowKey.moderation(.number($0)) }
      #expect(try await store.fetch(keys).map { $0 != nil } == [true, false, true, true])
      #expect(try await store.outboxText() == ["1"], "the rest is carried out")
      let further = try await store.commit([
        .insertModeration(Rows.moderation(6, request: 7, mode: "shadow")),
        .insertModeration(Rows.moderation(7, request: 7, mode: "model")),
        .insertModeration(Rows.moderation(8, request: 7, mode: "model")),
      ])
      #expect(
        further.map(\.existing) == [
          .moderation(Rows.moderation(4, request: 7, mode: "shadow")), nil,
          .moderation(Rows.moderation(7, request: 7, mode: "model")),
        ], "each mode has its own")
    }
  }

  @Test("5. Moderation rows without a request never collide", arguments: Adapters.applicationStores)
  func reviews(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      try await Rows.insertFirst(into: store)
      let rows = (2...3).map { Rows.moderation($0, mode: "human") }
      let outcomes = try await store.commit(rows.map(Mutation.insertModeration))
      #expect(outcomes.allSatisfy { $0.isDone })
      #expect(try await store.snapshot().moderation.count == 3)
    }
  }

  /// Changes of rows that don't exist.
  static let absent: [Mutation] = [
    .updateUser(Rows.user(9)), .addView(.number(9)), .deleteImage(.number(9), at: Sample.start),
    .deleteComment(.number(9), at: Sample.start), .hideComment(.number(9), by: .number(1)),
    .resolveFlags(.image(.number(9)), status: .rejected, by: .number(1), at: Sample.start),
    .resolveFlags(.comment(.number(9)), status: .rejected, by: .number(1), at: Sample.start),
  ]

  @Test(
    "6. Changing or deleting a row that doesn't exist throws",
    arguments: Adapters.applicationStores, absent.indices)
  func notFound(adapter: Adapter<any ApplicationStore>, index: Int) throws {
    try simulate(adapter) { store, _ in
      try await Rows.insertFirst(into: store)
      #expect(await code { try await store.commit([Self.absent[index]]) } == .notFound)
    }
  }

  @Test("6. Deleting twice keeps the first instant", arguments: Adapters.applicationStores)
  func deletedTwice(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      try await Rows.insertFirst(into: store)
      for second in [5, 9, 3] as [Int64] {
        let outcomes = try await store.commit([
          .deleteImage(.number(1), at: Sample.at(second)),
          .deleteComment(.number(1), at: Sample.at(second)),
        ])
        #expect(outcomes.allSatisfy { $0.isDone })
      }
      let snapshot = try await store.snapshot()
      #expect(snapshot.images.map(\.deletedAt) == [Sample.at(5)])
      #expect(snapshot.comments.map(\.deletedAt) == [Sample.at(5)])
    }
  }
}
