import Ports

/// What a server has that was started again from its last save, without a restart: the keys of the
/// prefix are copied aside, and back. For simulations; `COPY` needs Redis 6.2.
extension RedisFeatureStore: SaveAndRestore {
  /// See ``SaveAndRestore``.
  public func save() throws(PortError) -> @Sendable () throws(PortError) -> Void {
    let own = client.settings.prefix
    let copy = "\(own)features:saved:"
    try copyKeys(from: own, to: copy, PortMethod("save"))
    return { [self] () throws(PortError) in
      try copyKeys(from: copy, to: own, PortMethod("restore"))
    }
  }

  private func copyKeys(
    from source: String, to target: String, _ operation: PortMethod
  ) throws(PortError) {
    // Twice is as good as once. The copies stand under `features:`, so that `clean` finds them.
    let names = ["image:"] + Self.ownKeys
    _ = try client.run(
      .copy, ([source, target] + names).map { Array($0.utf8) }, for: operation, changes: true)
  }

  /// What the keys beside those of images are called; the copies of a save aren't among them.
  private static let ownKeys = [
    "features:progress", "features:retention", "features:replies", "features:pending",
    "features:ids:",
  ]
}
