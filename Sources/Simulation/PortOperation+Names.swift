extension PortOperation {
  /// Every operation that passes a gate, as `Port.method`, sorted.
  public static let names = [
    "ApplicationStore.commit", "ApplicationStore.fetch", "ApplicationStore.markPublished",
    "ApplicationStore.outbox", "ApplicationStore.reviewQueue", "ApplicationStore.snapshot",
    "ApplicationStore.subjects", "CheckpointStore.load", "CheckpointStore.save",
    "EventConsumer.commit", "EventConsumer.committed", "EventConsumer.leave", "EventConsumer.poll",
    "EventConsumer.seek", "EventLog.append", "EventLog.createTopic", "EventLog.ends",
    "EventLog.join", "EventLog.offset", "EventLog.read", "FeatureStore.acknowledge",
    "FeatureStore.apply", "FeatureStore.counts", "FeatureStore.pending", "FeatureStore.progress",
    "Lake.commit", "Lake.compact", "Lake.createTable", "Lake.evolve", "Lake.expire",
    "Lake.remains", "Lake.scan", "Lake.snapshots", "Lake.tables", "ObjectStore.delete",
    "ObjectStore.get", "ObjectStore.list", "ObjectStore.put", "ObjectStore.putIfAbsent",
    "TableCatalog.createNamespace", "TableCatalog.drop", "TableCatalog.location",
    "TableCatalog.move", "TableCatalog.tables",
  ]

  /// The ports, sorted.
  public static let ports = Set(names.map { String($0.prefix { $0 != "." }) }).sorted()
}
