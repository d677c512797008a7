import Ports
import Testing

@Suite("TableCatalog conformance")
struct TableCatalogConformance {
  private static let table = TableName("moderation", "training_data")

  /// Registers the table at `s3://1`.
  private static func prepare(_ catalog: any TableCatalog) async throws {
    try await catalog.createNamespace("moderation")
    try await catalog.move(table, from: nil, to: "s3://1")
  }

  @Test("1. A table never registered has no pointer", arguments: Adapters.tableCatalogs)
  func unknown(adapter: Adapter<any TableCatalog>) throws {
    try simulate(adapter) { catalog, _ in
      #expect(try await catalog.location(of: Self.table) == nil)
      try await Self.prepare(catalog)
      for other in [("moderation", "training"), ("events", "training_data"), ("moderation", "")] {
        #expect(try await catalog.location(of: TableName(other.0, other.1)) == nil)
      }
    }
  }

  @Test("2. A move from nil registers a table, once", arguments: Adapters.tableCatalogs)
  func register(adapter: Adapter<any TableCatalog>) throws {
    try simulate(adapter) { catalog, _ in
      try await Self.prepare(catalog)
      #expect(try await catalog.location(of: Self.table) == "s3://1")
      let again = await code { try await catalog.move(Self.table, from: nil, to: "s3://2") }
      #expect(again == .conflict)
      #expect(try await catalog.location(of: Self.table) == "s3://1")
    }
  }

  @Test(
    "3. A move from another pointer than the current one is a conflict and changes nothing",
    arguments: Adapters.tableCatalogs)
  func conflict(adapter: Adapter<any TableCatalog>) throws {
    try simulate(adapter) { catalog, _ in
      func move(from expected: String?, to location: String) async -> PortError.Code? {
        await code { try await catalog.move(Self.table, from: expected, to: location) }
      }
      try await catalog.createNamespace("moderation")
      #expect(await move(from: "s3://1", to: "s3://2") == .conflict, "nothing is there yet")
      #expect(try await catalog.tables().isEmpty)
      try await Self.prepare(catalog)
      #expect(await move(from: "s3://0", to: "s3://2") == .conflict)
      #expect(try await catalog.location(of: Self.table) == "s3://1")
      #expect(await move(from: "s3://1", to: "s3://2") == nil)
      #expect(await move(from: "s3://1", to: "s3://3") == .conflict)
      #expect(try await catalog.location(of: Self.table) == "s3://2")
    }
  }

  @Test(
    "3. Of several movers from the same pointer one succeeds", arguments: Adapters.tableCatalogs)
  func race(adapter: Adapter<any TableCatalog>) throws {
    try simulate(adapter) { catalog, environment in
      try await Self.prepare(catalog)
      let codes = await withTaskGroup(of: PortError.Code?.self) { group in
        for number in 2...4 {
          group.addTask {
            await code {
              let current = try await catalog.location(of: Self.table)
              await environment.time.sleep(for: .seconds(1))
              try await catalog.move(Self.table, from: current, to: "s3://\(number)")
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(codes.filter { $0 == nil }.count == 1)
      #expect(codes.filter { $0 == .conflict }.count == 2)
    }
  }

  @Test("4. All tables are listed, sorted by name", arguments: Adapters.tableCatalogs)
  func list(adapter: Adapter<any TableCatalog>) throws {
    try simulate(adapter) { catalog, _ in
      #expect(try await catalog.tables().isEmpty)
      for namespace in ["b", "a", "ab"] { try await catalog.createNamespace(namespace) }
      #expect(try await catalog.tables().isEmpty, "a namespace is no table")
      let tables = [("a", "y"), ("a", "z"), ("ab", "x"), ("b", "a"), ("b", "b")]
        .map { TableName($0.0, $0.1) }
      for table in tables.reversed() { try await catalog.move(table, from: nil, to: "s3://1") }
      #expect(try await catalog.tables() == tables)
    }
  }

  @Test(
    "5. A namespace may be made twice, and must be there before its tables",
    arguments: Adapters.tableCatalogs)
  func namespaces(adapter: Adapter<any TableCatalog>) throws {
    try simulate(adapter) { catalog, _ in
      for expected in [nil, "s3://0"] {
        let early = await failure {
          try await catalog.move(Self.table, from: expected, to: "s3://1")
        }
        #expect(early?.code == .notFound)
        #expect(early?.hint.contains("moderation") == true, "\(early?.hint ?? "no error")")
      }
      #expect(try await catalog.tables().isEmpty)
      try await Self.prepare(catalog)
      try await catalog.createNamespace("moderation")
      #expect(try await catalog.location(of: Self.table) == "s3://1", "its tables stay")
    }
  }

  @Test(
    "6. A drop removes the pointer and nothing else, whether or not it is there",
    arguments: Adapters.tableCatalogs)
  func drop(adapter: Adapter<any TableCatalog>) throws {
    try simulate(adapter) { catalog, _ in
      let other = TableName("moderation", "other")
      try await catalog.drop(other)
      try await Self.prepare(catalog)
      try await catalog.move(other, from: nil, to: "s3://9")
      for _ in 0..<2 { try await catalog.drop(Self.table) }
      #expect(try await catalog.location(of: Self.table) == nil)
      #expect(try await catalog.tables() == [other])
      try await catalog.drop(other)
      try await catalog.move(Self.table, from: nil, to: "s3://2")
      #expect(try await catalog.tables() == [Self.table], "the namespace is still there")
    }
  }
}
