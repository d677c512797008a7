import Ports
import Testing

@Suite("ObjectStore conformance")
struct ObjectStoreConformance {
  @Test("1. A put replaces the bytes, all of them", arguments: Adapters.objectStores)
  func put(adapter: Adapter<any ObjectStore>) throws {
    try simulate(adapter) { store, _ in
      let contents: [[UInt8]] = [
        Array(repeating: 1, count: 100_000), [2], [], (0...255).map { $0 },
      ]
      for bytes in contents {
        try await store.put("a/b", bytes)
        #expect(try await store.get("a/b") == bytes)
      }
      #expect(try await store.list(prefix: "") == ["a/b"])
    }
  }

  @Test("1. A reader sees the old bytes or the new ones", arguments: Adapters.objectStores)
  func noMixture(adapter: Adapter<any ObjectStore>) throws {
    try simulate(adapter) { store, environment in
      try await store.put("k", [0])
      await withTaskGroup { group in
        group.addTask {
          for number in 1...20 as ClosedRange<UInt8> {
            try? await store.put("k", Array(repeating: number, count: 1000))
            await environment.time.sleep(for: .milliseconds(2))
          }
        }
        group.addTask {
          for _ in 1...40 {
            let bytes = (try? await store.get("k")) ?? []
            #expect(Set(bytes).count == 1)
            #expect([1, 1000].contains(bytes.count))
            await environment.time.sleep(for: .milliseconds(1))
          }
        }
      }
    }
  }

  @Test(
    "2. A put-if-absent tells whether it stored, and replaces nothing",
    arguments: Adapters.objectStores)
  func putIfAbsent(adapter: Adapter<any ObjectStore>) throws {
    try simulate(adapter) { store, _ in
      #expect(try await store.putIfAbsent("k", [1]))
      #expect(try await store.putIfAbsent("k", [2]) == false)
      #expect(try await store.putIfAbsent("k", [1]) == false)
      #expect(try await store.get("k") == [1])
      try await store.delete("k")
      #expect(try await store.putIfAbsent("k", [3]))
      #expect(try await store.get("k") == [3])
    }
  }

  @Test("3. Getting a key that doesn't exist throws", arguments: Adapters.objectStores)
  func notFound(adapter: Adapter<any ObjectStore>) throws {
    try simulate(adapter) { store, _ in
      try await store.put("a/b", [1])
      for key in ["a", "a/", "a/b/c", "A/b"] {
        #expect(await code { try await store.get(key) } == .notFound, "\(key)")
      }
    }
  }

  @Test(
    "4. A list has the keys with the prefix, sorted by their UTF-8 bytes",
    arguments: Adapters.objectStores)
  func list(adapter: Adapter<any ObjectStore>) throws {
    try simulate(adapter) { store, _ in
      // UTF-16 would have the last two the other way round; a collation, most of them; a walk
      // through folders, `a` before `a-`.
      let keys = ["B", "a-", "a/b", "a/c/d", "a/cd", "a0", "aé", "b", "\u{FFFD}", "😀"]
      for key in keys.reversed() { try await store.put(key, [1]) }
      #expect(try await store.list(prefix: "") == keys)
      #expect(try await store.list(prefix: "a/") == ["a/b", "a/c/d", "a/cd"])
      #expect(try await store.list(prefix: "a/c") == ["a/c/d", "a/cd"])
      #expect(try await store.list(prefix: "a") == ["a-", "a/b", "a/c/d", "a/cd", "a0", "aé"])
      for prefix in ["z", "a/b/", "a//", "/", "../"] {
        #expect(try await store.list(prefix: prefix).isEmpty, "\(prefix)")
      }
    }
  }

  @Test(
    "4. A key that another continues is listed beside it",
    arguments: Adapters.objectStoresOfAnyKey)
  func listOfAnyKeys(adapter: Adapter<any ObjectStore>) throws {
    try simulate(adapter) { store, _ in
      let keys = ["a", "a/", "a/b", "a/b/c", "a0"]
      for key in keys.reversed() { try await store.put(key, [1]) }
      #expect(try await store.list(prefix: "") == keys)
      #expect(try await store.list(prefix: "a/") == ["a/", "a/b", "a/b/c"])
      #expect(try await store.list(prefix: "a/b") == ["a/b", "a/b/c"])
    }
  }

  @Test("4. Two spellings of one letter are two keys", arguments: Adapters.objectStores)
  func spellings(adapter: Adapter<any ObjectStore>) throws {
    try simulate(adapter) { store, _ in
      try await store.put("e\u{301}", [1])
      try await store.put("\u{E9}", [2])
      let keys = try await store.list(prefix: "")
      #expect(keys.map { Array($0.utf8) } == [Array("e\u{301}".utf8), Array("\u{E9}".utf8)])
    }
  }

  @Test("5. A delete succeeds whether or not the key exists", arguments: Adapters.objectStores)
  func delete(adapter: Adapter<any ObjectStore>) throws {
    try simulate(adapter) { store, _ in
      try await store.put("a", [1])
      try await store.put("ab", [2])
      for _ in 0..<2 { try await store.delete("a") }
      try await store.delete("never")
      #expect(await code { try await store.get("a") } == .notFound)
      #expect(try await store.list(prefix: "") == ["ab"])
    }
  }

  @Test(
    "6. What was put and deleted stays so when the store synchronizes",
    arguments: Adapters.objectStores)
  func synchronize(adapter: Adapter<any ObjectStore>) throws {
    try simulate(adapter) { store, _ in
      for key in ["a/b", "a/c", "d"] { try await store.put(key, [1]) }
      #expect(try await store.putIfAbsent("a/d", [2]))
      try await store.delete("a/c")
      for _ in 0..<2 { try await store.synchronize() }
      #expect(try await store.list(prefix: "") == ["a/b", "a/d", "d"])
      #expect(try await store.get("a/d") == [2])
    }
  }
}
