import Moderation
import Ports
import Simulation
import Testing

extension ApplicationStoreConformance {
  @Test(
    "7. The outbox is in commit order, events as they were", arguments: Adapters.applicationStores)
  func outboxOrder(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      let events = [Rows.event(3), Rows.event(1, key: nil), Rows.event(2), Rows.event(0, key: 9)]
      _ = try await store.commit([.enqueue(events[0]), .enqueue(events[1])])
      _ = try await store.commit([.enqueue(events[2])])
      _ = try await store.commit([.insertUser(Rows.user(1)), .enqueue(events[3])])
      let entries = try await store.outbox(limit: 9)
      #expect(entries.map(\.event) == events)
      let sequences = entries.map(\.sequence)
      #expect(sequences == Set(sequences).sorted())
      #expect(try await store.outbox(limit: 2) == Array(entries.prefix(2)))
      #expect(try await store.outbox(limit: 9) == entries, "reading isn't marking")
    }
  }

  @Test(
    "7. Marked entries are gone for good, in whatever order and however often",
    arguments: Adapters.applicationStores)
  func marked(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      _ = try await store.commit((0..<6).map { .enqueue(Rows.event($0)) })
      let sequences = try await store.outbox(limit: 9).map(\.sequence)
      try await store.markPublished([sequences[0], sequences[1]])
      #expect(try await store.outboxText() == ["2", "3", "4", "5"])
      try await store.markPublished([sequences[0], sequences[1]])
      try await store.markPublished([sequences[4], sequences[3], sequences[0]])
      try await store.markPublished([])
      #expect(try await store.outboxText() == ["2", "5"])
      _ = try await store.commit([.enqueue(Rows.event(6))])
      #expect(try await store.outboxText() == ["2", "5", "6"])
      let last = try #require(try await store.outbox(limit: 9).last)
      #expect(last.sequence > sequences[5], "no sequence comes twice")
    }
  }

  @Test("8. What was created after the instant isn't seen", arguments: Adapters.applicationStores)
  func futureCreations(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      _ = try await store.commit([.insertUser(Rows.user(1)), .insertUser(Rows.user(2))])
      _ = try await store.commit([
        .insertImage(Rows.image(1, at: 10)), .insertImage(Rows.image(2, at: 20)),
        .insertImage(Rows.image(3, at: 30)), .insertImage(Rows.image(4, by: 2, at: 10)),
      ])
      let cases: [(asOf: EventTime, count: Int?)] = [
        (Sample.at(10).later(-1), nil), (Sample.at(10), 1), (Sample.at(20).later(-1), 1),
        (Sample.at(20), 2), (Sample.at(30), 3), (Sample.at(99), 3),
      ]
      for (asOf, count) in cases {
        let subject = try await store.subject(.number(1), asOf: asOf)
        #expect(subject?.existingImages == count, "as of \(asOf)")
        #expect(subject?.createdImages == count, "as of \(asOf)")
        #expect(subject?.uploader == (count == nil ? nil : Rows.user(1)))
      }
    }
  }

  @Test("8. A deletion after the instant isn't seen", arguments: Adapters.applicationStores)
  func futureDeletions(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      _ = try await store.commit([.insertUser(Rows.user(1))])
      _ = try await store.commit([.insertImage(Rows.image(1)), .insertImage(Rows.image(2))])
      _ = try await store.commit([.deleteImage(.number(2), at: Sample.at(10))])
      let cases: [(asOf: EventTime, existing: Int)] = [
        (Sample.at(10).later(-1), 2), (Sample.at(10), 1), (Sample.at(11), 1),
      ]
      for (asOf, existing) in cases {
        let subject = try await store.subject(.number(1), asOf: asOf)
        #expect(subject?.existingImages == existing, "as of \(asOf)")
        #expect(subject?.createdImages == 2, "as of \(asOf)")
      }
    }
  }

  @Test(
    "8. The image's own deletion shows from its instant on", arguments: Adapters.applicationStores)
  func ownDeletion(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      _ = try await store.commit([.insertUser(Rows.user(1))])
      _ = try await store.commit([.insertImage(Rows.image(1))])
      _ = try await store.commit([.deleteImage(.number(1), at: Sample.at(10))])
      let before = try await store.subject(.number(1), asOf: Sample.at(10).later(-1))
      #expect(before?.image == Rows.image(1))
      let after = try await store.subject(.number(1), asOf: Sample.at(10))
      #expect(after?.image.deletedAt == Sample.at(10))
      #expect(after?.existingImages == 0)
      #expect(after?.createdImages == 1)
    }
  }

  @Test(
    "8. Answers are in the questions' order, nil for an unknown image",
    arguments: Adapters.applicationStores)
  func subjectsInOrder(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      _ = try await store.commit([.insertUser(Rows.user(1))])
      _ = try await store.commit((1...3).map { .insertImage(Rows.image($0)) })
      let asked: [UInt64] = [3, 9, 1, 3, 2]
      let questions = asked.map { CountQuestion(image: .number($0), asOf: Sample.at(1)) }
      let expected: [ImageID?] = asked.map { $0 == 9 ? nil : .number($0) }
      #expect(try await store.subjects(questions).map { $0?.image.id } == expected)
    }
  }

  @Test(
    "9. A snapshot's rows are sorted by creation, then id", arguments: Adapters.applicationStores)
  func snapshotOrder(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, _ in
      _ = try await store.commit([.insertUser(Rows.user(1)), .insertUser(Rows.user(4, at: 9))])
      _ = try await store.commit([
        .insertUser(Rows.user(3, at: 5)), .insertUser(Rows.user(2, at: 5)),
      ])
      let order: [(id: UInt64, second: Int64)] = [(8, 1), (1, 2), (7, 2), (5, 3)]
      for (id, second) in order.reversed() {
        _ = try await store.commit([.insertImage(Rows.image(id, at: second))])
      }
      for (id, second) in order.reversed() {
        _ = try await store.commit([
          .insertComment(Rows.comment(id, at: second)),
          .insertFlag(Rows.flag(id, image: 1, at: second)),
          .insertModeration(Rows.moderation(id, at: second)),
        ])
      }
      let snapshot = try await store.snapshot()
      #expect(snapshot.users.map(\.id) == [1, 2, 3, 4].map { .number($0) })
      #expect(snapshot.images == order.map { Rows.image($0.id, at: $0.second) })
      #expect(snapshot.comments == order.map { Rows.comment($0.id, at: $0.second) })
      #expect(snapshot.flags == order.map { Rows.flag($0.id, image: 1, at: $0.second) })
      #expect(snapshot.moderation == order.map { Rows.moderation($0.id, at: $0.second) })
    }
  }

  @Test("9. A snapshot is one state between commits", arguments: Adapters.applicationStores)
  func snapshotIsConsistent(adapter: Adapter<any ApplicationStore>) throws {
    try simulate(adapter) { store, environment in
      try await Rows.insertFirst(into: store)
      // Each commit adds a comment and a view, so no snapshot may have more of the one.
      await withTaskGroup { group in
        group.addTask {
          for id in 2...20 as ClosedRange<UInt64> {
            _ = try? await store.commit([
              .insertComment(Rows.comment(id)), .addView(.number(1)),
            ])
            await environment.time.sleep(for: .milliseconds(1))
          }
        }
        group.addTask {
          for _ in 0..<40 {
            let snapshot = try? await store.snapshot()
            #expect(snapshot?.images.first?.views == (snapshot?.comments.count ?? 0) - 1)
            await environment.time.sleep(for: .microseconds(500))
          }
        }
      }
      #expect(try await store.snapshot().comments.count == 20)
    }
  }
}
