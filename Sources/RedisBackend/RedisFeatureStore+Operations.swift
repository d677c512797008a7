import Ports

extension RedisFeatureStore {
  /// Looks at the server: whether it answers, its version, that it keeps all keys, what it loses in
  /// a crash, and whether the account may run scripts that write under the prefix.
  public func check() -> [BackendCheck] {
    let operation = PortMethod("check")
    let server: [String: String]
    do throws(PortError) {
      let reply = try client.send([RedisCommand("INFO")], for: operation, changes: false)[0]
      server = Self.fields(of: reply.text ?? "")
    } catch {
      return [BackendCheck(unreachable: error)]
    }
    return [
      BackendCheck("reachable", found: client.settings.address), Self.version(server),
      Self.role(server), Self.eviction(server), Self.durability(server), permissions(operation),
    ]
  }

  /// Removes every key of the prefix, and nothing else. `invalid` with the empty prefix, under
  /// which keys of other programs can stand.
  public func clean() throws(PortError) {
    let operation = PortMethod("clean")
    let prefix = client.settings.prefix
    guard !prefix.isEmpty else {
      throw operation.error(
        .invalid,
        "the prefix is empty: its keys can't be told from other programs'; set `prefix`, or empty "
          + "a database of its own with `redis-cli FLUSHDB`")
    }
    var cursor = "0"
    repeat {
      let reply = try client.send(
        [RedisCommand("SCAN", cursor, "MATCH", Self.pattern(of: prefix), "COUNT", "1000")],
        for: operation, changes: false)[0]
      guard let parts = reply.list, parts.count == 2, let next = parts[0].text else {
        throw operation.error(.redis, "\(reply) to SCAN")
      }
      // A prefix can begin with another one: what follows it must be a name of ours.
      let keys = (parts[1].list ?? []).compactMap(\.text).filter { key in
        let name = key.dropFirst(prefix.count)
        return name.hasPrefix("image:") || name.hasPrefix("features:")
      }
      if !keys.isEmpty {
        _ = try client.send([RedisCommand(["UNLINK"] + keys)], for: operation, changes: true)
      }
      cursor = next
    } while cursor != "0"
  }

  /// A pattern of SCAN for keys that begin with a prefix, literally.
  private static func pattern(of prefix: String) -> String {
    prefix.reduce(into: "") { pattern, character in
      if "\\*?[]".contains(character) { pattern.append("\\") }
      pattern.append(character)
    } + "*"
  }

  /// The lines `name:value` of INFO.
  private static func fields(of info: String) -> [String: String] {
    var fields: [String: String] = [:]
    for line in info.split(whereSeparator: \.isNewline) {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[String(line[..<colon])] = String(line[colon...].dropFirst())
    }
    return fields
  }

  private static func version(_ server: [String: String]) -> BackendCheck {
    let version = server["redis_version"] ?? "unknown"
    let major = version.split(separator: ".").first.flatMap { Int($0) } ?? 0
    return BackendCheck(
      "version", found: version,
      problem: major >= 6 ? nil : "scripts and ACLs of Redis 6 or later are needed; install one")
  }

  private static func role(_ server: [String: String]) -> BackendCheck {
    let mode = server["redis_mode"] ?? "unknown"
    let role = server["role"] ?? "unknown"
    var problem: String?
    if mode == "cluster" { problem = "a script touches many keys; name a server without slots" }
    if role == "slave" { problem = "a replica can't be written to; name its primary" }
    return BackendCheck("role", found: "\(mode), \(role)", problem: problem)
  }

  private static func eviction(_ server: [String: String]) -> BackendCheck {
    let policy = server["maxmemory_policy"] ?? "unknown"
    return BackendCheck(
      "eviction", found: policy,
      problem: policy == "noeviction"
        ? nil
        : "a full server would drop keys, and counts with them; "
          + "`CONFIG SET maxmemory-policy noeviction` makes it refuse writes instead")
  }

  /// Told, not judged: counts and progress are lost together, and read again from the log.
  private static func durability(_ server: [String: String]) -> BackendCheck {
    BackendCheck(
      "durability",
      found: server["aof_enabled"] == "1"
        ? "appendonly yes"
        : "appendonly no: a crash takes the store back to its last save, and the stream is read "
          + "again from there")
  }

  private func permissions(_ operation: PortMethod) -> BackendCheck {
    let key = "\(client.settings.prefix)features:check"
    let probe = "redis.call('SET', ARGV[1], 1) return redis.call('UNLINK', ARGV[1])"
    do throws(PortError) {
      _ = try client.send(
        [RedisCommand("EVAL", probe, "0", key)], for: operation, changes: false)
      return BackendCheck("permissions", found: "may run scripts and write '\(key)'")
    } catch {
      return BackendCheck(
        "permissions", found: "may not run scripts that write '\(key)'", problem: error.hint)
    }
  }
}
