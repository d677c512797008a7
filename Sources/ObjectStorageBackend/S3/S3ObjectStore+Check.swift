import CCurl
import Glibc
import Ports

extension S3ObjectStore {
  /// How far this machine's clock may be from the server's, in seconds; S3 allows 900.
  private static let mostSkew = 300

  /// What there is to know before a run: whether the server answers and has the bucket, its
  /// version, the clocks, what the access key may do under the prefix, and whether the server
  /// honours put-if-absent. Leaves nothing behind.
  public func check() -> [BackendCheck] {
    let request = S3Request(
      method: "GET",
      query: [("list-type", "2"), ("max-keys", "1"), ("prefix", settings.prefix)])
    let response: HTTPResponse
    do throws(PortError) {
      response = try client.succeed(request, "check")
    } catch {
      return [BackendCheck(unreachable: error)]
    }
    let server = response.headers["server"] ?? "a server that doesn't give its name"
    return [
      BackendCheck("reachable", found: "bucket '\(settings.bucket)'"),
      BackendCheck("version", found: server), clocks(response.headers["date"]),
      permissions(), putIfAbsent(),
    ]
  }

  private func clocks(_ date: String?) -> BackendCheck {
    guard let date, case let theirs = curl_getdate(date, nil), theirs >= 0 else {
      return BackendCheck("clock", found: "the server tells no time")
    }
    let skew = time(nil) - theirs
    return BackendCheck(
      "clock", found: "this machine's is \(skew) s ahead of the server's",
      problem: abs(skew) <= Self.mostSkew
        ? nil
        : "signatures that are 900 s off are refused: set this machine's clock, or the server's, "
          + "which shows \(date)")
  }

  /// Whether an object can be written, read, listed and deleted.
  private func permissions() -> BackendCheck {
    let key = full("rehearsal-check-\(freshMark())")
    let bytes = Array("rehearsal".utf8)
    var doing = "write"
    do throws(PortError) {
      _ = try client.succeed(Self.put(key, bytes), "check")
      doing = "read"
      let read = try client.succeed(S3Request(method: "GET", key: key), "check").body
      doing = "list"
      let listed = try stored(prefix: key, "check")
      doing = "delete"
      _ = try client.succeed(S3Request(method: "DELETE", key: key), "check")
      guard read == bytes, listed == [key] else {
        return BackendCheck(
          "permissions", found: "an object written, and another read or listed",
          problem: "what was written to '\(key)' isn't what is read or listed at once: use a "
            + "server with strong consistency")
      }
      return BackendCheck("permissions", found: "write, read, list, delete")
    } catch {
      return BackendCheck(
        "permissions", found: "can't \(doing) under '\(settings.prefix)'", problem: error.hint)
    }
  }

  /// Whether of two writers of one key the second is told so, and whether a writer can tell its
  /// own object.
  private func putIfAbsent() -> BackendCheck {
    let key = "rehearsal-check-\(freshMark())"
    var request = Self.put(full(key), [1])
    let mark = freshMark()
    request.headers += [("If-None-Match", "*"), (Self.mark, mark)]
    // A check that fails half-way is worth more than what it leaves.
    defer { _ = try? client.send(S3Request(method: "DELETE", key: full(key)), "check") }
    do throws(PortError) {
      _ = try client.succeed(request, "check")
      let isKept = try storedMark(key, "check") == mark
      let second = try client.send(request, "check")
      guard second.status == 412 else { return Self.unsafe(status: second.status) }
      return BackendCheck(
        "put if absent", found: isKept ? "honoured" : "honoured; metadata of objects is lost",
        problem: isKept
          ? nil
          : "the server drops \(Self.mark): after a lost reply, a put-if-absent that has "
            + "succeeded would be told that another was first; use a server that keeps metadata")
    } catch {
      return BackendCheck("put if absent", found: "not done", problem: error.hint)
    }
  }

  private static func unsafe(status: Int) -> BackendCheck {
    BackendCheck(
      "put if absent", found: "ignored: a second put was answered \(status), not 412",
      problem: "this server ignores `If-None-Match: *`: of two writers both would win, so that "
        + "Iceberg commits and uploads aren't safe there; use a server that honours it, such as "
        + "Amazon S3, MinIO or SeaweedFS")
  }
}
