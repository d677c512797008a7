import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

/// Where an id still stands, and that nothing but declared retention is left in the end.
@Suite("Erasure proof")
struct ErasureProofTests {
  /// Rows of one number have one id, whatever their kind: nothing else has these.
  private static let image: ImageID = .number(50)
  private static let user: UserID = .number(60)

  /// Everything that a proof looks through.
  private static func proof(_ world: World, of id: String = image.description) async throws
    -> ErasureProof
  {
    var proof = ErasureProof(of: id)
    try await proof.search(world.lake)
    try await proof.search(world.objects)
    try await proof.search(world.store)
    try await proof.search(world.log)
    try await proof.search(world.features, at: world.environment.now.asEventTime)
    return proof
  }

  /// An image that left traces everywhere: in the lake, the files, the database, the outbox, the
  /// log and the online features.
  private static func prepare(_ world: World) async throws {
    var fixture = ErasureTests.fixture()
    fixture.users.append(Rows.user(60))
    fixture.images.append(Rows.image(50, at: 40))
    fixture.views += (1...3).map { Events.view(500 + $0, image: 50, at: 60, by: $0) }
    fixture.views.append(Events.view(504, image: 50, at: 61, by: 60))
    fixture.comments.append(Rows.comment(505, on: 50, by: 60, at: 62))
    fixture.flags.append(Rows.flag(506, image: 50, by: 60, at: 63))
    try await ErasureTests.prepare(world, fixture)
    try await world.objects.put("\(image).jpg", [1])
    await world.run([world.consumer()], for: 2)
    let event = Events.view(999, image: 50, at: 3)
    let message = OutboxEvent(
      topic: event.kind.topic, key: event.image, value: EventCodec.encode(event), time: event.time)
    _ = try await world.store.commit([.enqueue(message)])
  }

  @Test("A live image stands in every kind of place, most of them without a retention")
  func everywhere() throws {
    try simulate { world in
      try await Self.prepare(world)
      let proof = try await Self.proof(world)
      #expect(
        Set(proof.places.map(\.kind)) == [
          "lake snapshot", "data file", "object", "database", "outbox", "topic", "feature key",
        ])
      #expect(!proof.holds)
      let declared = proof.places.filter { $0.retention != nil }
      #expect(Set(declared.map(\.kind)) == ["topic", "feature key"])
      let views = proof.places.first { $0.name == "gourmetgram.views" }
      #expect(views?.count == 4, "of users 1, 2, 3 and 60")
    }
  }

  @Test("Erased and expired, only what is declared is left; marked rows alone aren't enough")
  func erased() throws {
    try simulate { world in
      try await Self.prepare(world)
      try await world.intake.deleteImage(Self.image)
      try await world.relay.drain()
      _ = try await world.erasure.run()
      let marked = try await Self.proof(world)
      #expect(!marked.holds, "old snapshots and the file are there")
      // What was deleted this very moment isn't older than it.
      await world.environment.time.sleep(for: .seconds(1))
      _ = try await world.expiry.run()
      try await world.objects.delete("\(Self.image).jpg")
      let proof = try await Self.proof(world)
      #expect(proof.holds, "\(proof.places.filter { $0.retention == nil })")
      #expect(
        proof.places.allSatisfy { ["database", "topic", "feature key"].contains($0.kind) })
      #expect(proof.places.contains { $0.kind == "database" && $0.name == "images" })
    }
  }

  @Test("A user's account is the application's own; what the lake has of them is not")
  func user() throws {
    try simulate { world in
      try await Self.prepare(world)
      let user = Self.user.description
      let before = try await Self.proof(world, of: user)
      let raw = before.places.filter { $0.name.hasPrefix("raw.users@") }
      #expect(raw.map(\.retention) == [nil])
      let undeclared = before.places.filter { $0.kind == "database" && $0.retention == nil }
      #expect(undeclared.isEmpty, "\(undeclared)")
      _ = try await world.store.commit([.updateUser(Rows.user(60, bornIn: 2012, isFound: true))])
      _ = try await world.erasure.run()
      await world.environment.time.sleep(for: .seconds(1))
      _ = try await world.expiry.run()
      let proof = try await Self.proof(world, of: user)
      let left = proof.places.filter { $0.retention == nil }
      #expect(left.isEmpty, "\(left)")
      #expect(proof.places.contains { $0.kind == "database" && $0.name == "users" })
    }
  }

  @Test("What is nowhere has no place, and that holds")
  func nowhere() throws {
    try simulate { world in
      try await Self.prepare(world)
      let proof = try await Self.proof(world, of: ImageID(high: 7, low: 7).description)
      #expect(proof.places.isEmpty && proof.holds)
    }
  }
}
