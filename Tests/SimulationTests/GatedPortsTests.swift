import Moderation
import Ports
import Simulation
import Testing

@Suite("Gated ports")
struct GatedPortsTests {
  private static let partition = TopicPartition("t", 0)
  private static let table = TableName("a", "b")
  private static let instant = EventTime(microseconds: 77)
  private static let question = CountQuestion(image: ImageID(high: 0, low: 1), asOf: instant)

  /// Runs a body with a gate that lets everything pass; gives the operations it saw.
  private static func operations(
    _ body: @escaping @Sendable (PortGate) async throws -> Void
  ) throws -> [String] {
    let seen = Journal<String>()
    try simulate { clock in
      let environment = Environment(
        component: "test", time: clock, ids: SeededIDs(streams: RandomStreams(seed: 1)),
        trace: NoTrace())
      let plan = PortGate.Plan { operation in
        seen.note(operation.name)
        return .pass
      }
      try await body(PortGate(plan: plan, environment: environment, yields: true))
    }
    return seen.entries
  }

  @Test("A gated event log and its consumers pass everything through, by name")
  func eventLog() throws {
    let stub = StubLog()
    let seen = try Self.operations { gate in
      let log = GatedEventLog(stub, gate: gate)
      try await log.createTopic("t", partitions: 2)
      let record = ProducerRecord(topic: "t", key: nil, value: [], timestamp: Self.instant)
      #expect(try await log.append([record, record]).map(\.offset) == [1])
      #expect(try await log.read(Self.partition, from: 5, limit: 6).isEmpty)
      #expect(try await log.ends(of: "t") == [2])
      #expect(try await log.offset(of: Self.partition, at: Self.instant) == 3)
      let consumer = try await log.join("g", member: "m", topics: ["t"])
      let poll = try await consumer.poll(limit: 7, until: ProcessingTime(microseconds: 8))
      #expect(poll.assignment == [Self.partition])
      try await consumer.seek([Self.partition: 9])
      try await consumer.commit([Self.partition: 10])
      #expect(try await consumer.committed() == [Self.partition: 4])
      try await consumer.leave()
    }
    #expect(
      stub.calls.entries == [
        "createTopic t 2", "append 2", "read t-0 5 6", "ends t", "offset t-0 77",
        "join g m [\"t\"]", "poll 7 8", "seek [t-0: 9]", "commit [t-0: 10]", "committed", "leave",
      ])
    #expect(
      seen == [
        "EventLog.createTopic", "EventLog.append", "EventLog.read", "EventLog.ends",
        "EventLog.offset", "EventLog.join", "EventConsumer.poll", "EventConsumer.seek",
        "EventConsumer.commit", "EventConsumer.committed", "EventConsumer.leave",
      ])
  }

  @Test("A gated feature store passes everything through, by name")
  func featureStore() throws {
    let stub = StubStore()
    let seen = try Self.operations { gate in
      let store = GatedFeatureStore(stub, gate: gate)
      var policy = TriggerPolicy()
      policy.viral = 3
      let batch = FeatureBatch(entries: [], partitions: [])
      #expect(try await store.apply(batch, policy: policy).duplicates == [4])
      #expect(try await store.counts([Self.question]).map(\.totalViews.observed) == [5])
      #expect(try await store.progress().values.map(\.nextOffset) == [6])
      #expect(try await store.pending(asOf: Self.instant, limit: 2).isEmpty)
      try await store.acknowledge([])
    }
    #expect(
      stub.calls.entries == ["apply 0 3", "counts 1", "progress", "pending 77 2", "acknowledge 0"])
    #expect(
      seen == [
        "FeatureStore.apply", "FeatureStore.counts", "FeatureStore.progress",
        "FeatureStore.pending", "FeatureStore.acknowledge",
      ])
  }

  @Test("A gated application store passes everything through, by name")
  func applicationStore() throws {
    let stub = StubStore()
    let seen = try Self.operations { gate in
      let store = GatedApplicationStore(stub, gate: gate)
      #expect(try await store.commit([.addView(Self.question.image)]).count == 1)
      #expect(try await store.fetch([.username("a")]) == [nil])
      #expect(try await store.subjects([Self.question]) == [nil, nil])
      #expect(try await store.outbox(limit: 4).isEmpty)
      try await store.markPublished([1, 2])
      #expect(try await store.snapshot().users.isEmpty)
      #expect(try await store.reviewQueue(limit: 5).isEmpty)
    }
    #expect(
      stub.calls.entries == [
        "commit 1", "fetch 1", "subjects 1", "outbox 4", "markPublished [1, 2]", "snapshot",
        "reviewQueue 5",
      ])
    #expect(
      seen == [
        "ApplicationStore.commit", "ApplicationStore.fetch", "ApplicationStore.subjects",
        "ApplicationStore.outbox", "ApplicationStore.markPublished", "ApplicationStore.snapshot",
        "ApplicationStore.reviewQueue",
      ])
  }

  @Test("A gated lake passes everything through, by name")
  func lake() throws {
    let stub = StubStore()
    let seen = try Self.operations { gate in
      let lake = GatedLake(stub, gate: gate)
      try await lake.createTable(Self.table, schema: TableSchema([]))
      #expect(try await lake.tables() == [Self.table])
      #expect(try await lake.snapshots(of: Self.table).isEmpty)
      let change = TableChange(id: 4, committedAt: Self.instant)
      #expect(try await lake.commit(change, to: Self.table, expecting: 2).rowCount == 3)
      #expect(try await lake.scan(Self.table, snapshot: 6).columns.isEmpty)
    }
    #expect(
      stub.calls.entries == [
        "createTable a.b 0", "tables", "snapshots a.b", "commit 4 a.b 2", "scan a.b 6",
      ])
    #expect(
      seen == [
        "Lake.createTable", "Lake.tables", "Lake.snapshots", "Lake.commit", "Lake.scan",
      ])
  }

  @Test("Gated object and checkpoint stores pass everything through, by name")
  func smallStores() throws {
    let stub = StubStore()
    let seen = try Self.operations { gate in
      let objects = GatedObjectStore(stub, gate: gate)
      try await objects.put("k", [1])
      #expect(try await objects.putIfAbsent("k", [2]))
      #expect(try await objects.get("k") == [8])
      #expect(try await objects.list(prefix: "p") == ["k"])
      try await objects.delete("k")
      let checkpoints = GatedCheckpointStore(stub, gate: gate)
      let loaded = try await checkpoints.load("job")
      #expect(loaded?.offsets == [Self.partition: 9])
      try await checkpoints.save(Checkpoint(offsets: [:]), as: "job", expecting: loaded)
    }
    #expect(
      stub.calls.entries == [
        "put k [1]", "putIfAbsent k [2]", "get k", "list p", "delete k", "load job", "save 0 job 1",
      ])
    #expect(
      seen == [
        "ObjectStore.put", "ObjectStore.putIfAbsent", "ObjectStore.get", "ObjectStore.list",
        "ObjectStore.delete", "CheckpointStore.load", "CheckpointStore.save",
      ])
  }

  @Test("A fault at a gated port reaches the caller and not the backend")
  func fault() throws {
    let stub = StubStore()
    try simulate { clock in
      let environment = Environment(
        component: "test", time: clock, ids: SeededIDs(streams: RandomStreams(seed: 1)),
        trace: NoTrace())
      let error = PortError(.unavailable, port: "ObjectStore", operation: "put", hint: "down")
      let plan = PortGate.Plan { $0.name == "ObjectStore.put" ? .failBefore(error) : .pass }
      let gate = PortGate(plan: plan, environment: environment, yields: false)
      let objects = GatedObjectStore(stub, gate: gate)
      await #expect(throws: error) { try await objects.put("k", [1]) }
      let bytes = try await objects.get("k")
      #expect(bytes == [8])
    }
    #expect(stub.calls.entries == ["get k"])
  }
}
