/// The programs that run inside the server, each in one step.
enum RedisScript: Hashable, Sendable {
  case apply, copy, counts, pending

  /// The Lua source.
  var source: String {
    let bytes =
      switch self {
      case .apply: PackageResources.apply_lua
      case .copy: PackageResources.copy_lua
      case .counts: PackageResources.counts_lua
      case .pending: PackageResources.pending_lua
      }
    return String(decoding: bytes, as: UTF8.self)
  }
}
