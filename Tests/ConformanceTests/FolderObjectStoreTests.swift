import Foundation
import ObjectStorageBackend
import Ports
import Testing

/// What only a store in a folder can be asked: names that a file can't have, and what other
/// programs find there.
@Suite("Folder object store")
struct FolderObjectStoreTests {
  private let folder = TemporaryFolder()

  private func open() throws -> FolderObjectStore {
    try FolderObjectStore(path: try folder.file("deep/er/objects"))
  }

  @Test(
    "A key that would leave the folder is invalid, whatever is asked",
    arguments: ["../x", "a/../../x", "..", "/etc/passwd", "a\0b", ".", "./a", "a/."])
  func leaving(key: String) async throws {
    let store = try open()
    try Data([7]).write(to: URL(fileURLWithPath: store.path + "/../x"))
    #expect(await code { try await store.put(key, [1]) } == .invalid)
    #expect(await code { try await store.putIfAbsent(key, [1]) } == .invalid)
    #expect(await code { try await store.get(key) } == .invalid)
    #expect(await code { try await store.delete(key) } == .invalid)
    #expect(try Data(contentsOf: URL(fileURLWithPath: store.path + "/../x")) == Data([7]))
    #expect(try await store.list(prefix: "").isEmpty)
  }

  @Test(
    "A key that no file can have isn't stored, and so isn't found",
    arguments: [
      "", "a/", "a//b", ".rehearsal-tmp-1", "a/.rehearsal-tmp-1/b",
      String(repeating: "x", count: 256),
    ])
  func impossible(key: String) async throws {
    let store = try open()
    #expect(await code { try await store.put(key, [1]) } == .invalid)
    #expect(await code { try await store.putIfAbsent(key, [1]) } == .invalid)
    #expect(await code { try await store.get(key) } == .notFound)
    try await store.delete(key)
  }

  @Test("A key and one that continues it can't both be there")
  func continued() async throws {
    let store = try open()
    try await store.put("a/b", [1])
    for key in ["a", "a/b/c"] {
      let error = await failure { try await store.put(key, [2]) }
      #expect(error?.code == .invalid)
      #expect(error?.hint.contains(store.path) == true, "\(error as Any)")
      #expect(await code { try await store.putIfAbsent(key, [2]) } == .invalid)
      #expect(await code { try await store.get(key) } == .notFound)
      try await store.delete(key)
    }
    #expect(try await store.list(prefix: "") == ["a/b"])
    #expect(try await store.get("a/b") == [1])
  }

  @Test("An object is a file at its key's path, with nothing beside it")
  func file() async throws {
    let store = try open()
    try await store.put("raw/users/1.parquet", [1, 2])
    _ = try await store.putIfAbsent("raw/users/2.parquet", [3])
    _ = try await store.putIfAbsent("raw/users/2.parquet", [4])
    let path = store.path + "/raw/users"
    #expect(
      Set(try FileManager.default.contentsOfDirectory(atPath: path)) == ["1.parquet", "2.parquet"])
    #expect(try Data(contentsOf: URL(fileURLWithPath: path + "/1.parquet")) == Data([1, 2]))
  }

  @Test("What a killed writer has left isn't listed, and is in nobody's way")
  func leftOver() async throws {
    let store = try open()
    for number in 1...3 {
      let name = ".rehearsal-tmp-\(ProcessInfo.processInfo.processIdentifier)-\(number)"
      try Data([9]).write(to: URL(fileURLWithPath: store.path + "/" + name))
    }
    try await store.put("a", [1])
    #expect(try await store.list(prefix: "") == ["a"])
    #expect(try await store.list(prefix: ".").isEmpty)
    #expect(try await store.get("a") == [1])
  }

  @Test("Of many threads that put if absent one wins, and its bytes stay")
  func race() async throws {
    let stores = [try open(), try open()]
    for round in 0..<50 {
      let wins = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
        for writer in 0..<4 as Range<UInt8> {
          group.addTask { @concurrent in
            let bytes: [UInt8] = Array(repeating: writer, count: 1000)
            let store = stores[Int(writer) % 2]
            return try await store.putIfAbsent("k\(round)", bytes) ? bytes : nil
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      let winners = wins.compactMap { $0 }
      #expect(winners.count == 1)
      #expect(try await stores[0].get("k\(round)") == winners.first)
    }
  }

  @Test("A folder that can't be made is named, with the cure")
  func noFolder() throws {
    try Data([1]).write(to: URL(fileURLWithPath: try folder.file("file")))
    let path = try folder.file("file/objects")
    let error = #expect(throws: PortError.self) { try FolderObjectStore(path: path) }
    #expect(error?.code == .invalid)
    #expect(error?.hint.contains(try folder.file("file")) == true, "\(error as Any)")
  }
}
