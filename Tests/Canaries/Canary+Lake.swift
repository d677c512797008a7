import Harness
import Moderation
import Pipeline
import Ports
import Synchronization

/// The aggregation, the erasure and the lake's own commits.
extension Canary {
  static let lake = [
    Canary(
      "watermark-after-appends",
      "The aggregation goes on from a watermark that is saved after the appends: a crash in "
        + "between writes the same windows twice.",
      reference: "§10.7", of: "event-aggregation"
    ) { _, ports in
      let checkpoints = ports.checkpoints
      ports.hookLake { lake, base in
        lake.onSnapshots = { (table) async throws(PortError) in
          let history = try await base.snapshots(of: table)
          guard let topic = table.aggregatedTopic else { return history }
          let saved = try await checkpoints.load(EventAggregation.checkpointName)
          return history.resuming(at: saved?.offsets(of: topic))
        }
      }
    },
    Canary(
      "watermark-before-commit",
      "The aggregation's watermark moves before its commit: a failure in between loses events.",
      of: "event-aggregation"
    ) { _, ports in
      let checkpoints = ports.checkpoints
      ports.hookLake { lake, base in
        lake.onSnapshots = { (table) async throws(PortError) in
          let history = try await base.snapshots(of: table)
          guard table.aggregatedTopic != nil else { return history }
          return history.resuming(at: try await checkpoints.load("\(table)")?.offsets(of: ""))
        }
        lake.onCommit = { (change, table, parent) async throws(PortError) in
          let offsets = change.summary[LogOffsets.key]?.split(separator: ",").compactMap {
            Int64($0)
          }
          let next = Checkpoint(topic: "", offsets: offsets ?? [])
          try await checkpoints.save(
            next, as: "\(table)", expecting: checkpoints.load("\(table)"))
          return try await base.commit(change, to: table, expecting: parent)
        }
      }
    },
    Canary(
      "short-boundary", "Each aggregation leaves out the last record of every partition.",
      of: "event-aggregation"
    ) { _, ports in
      ports.hookLog { log, base in
        log.onEnds = { (topic) async throws(PortError) in
          try await base.ends(of: topic).map { max(0, $0 - 1) }
        }
      }
    },
    Canary(
      "repeats-appended", "The aggregation looks for repeated events in its own batch alone.",
      of: "event-aggregation"
    ) { _, ports in
      ports.hookLake { lake, base in
        lake.onScan = { (table, selection) async throws(PortError) in
          let rows = try await base.scan(table, selection)
          return rows.filtered(Array(repeating: false, count: rows.count))
        }
      }
    },
    Canary(
      "whole-seconds", "Event times lose their fractions of a second on the way into the lake.",
      of: "event-aggregation"
    ) { _, ports in
      ports.hookCommits { change, _ in
        change.append?.changeIntegers("event_time") { _, time in time / 1_000_000 * 1_000_000 }
      }
    },
    Canary(
      "notes-lost-by-compaction",
      "After a compaction the aggregation reads the log from its start.",
      of: "event-aggregation"
    ) { _, ports in
      ports.hookLake { lake, base in
        lake.onSnapshots = { (table) async throws(PortError) in
          let history = try await base.snapshots(of: table)
          return history.last?.operation == "replace" ? history.resuming(at: nil) : history
        }
      }
    },
    Canary(
      "lost-update", "A table's pointer is moved without a look at where it is.",
      of: "event-aggregation", "compaction"
    ) { _, ports in
      ports.hookLakeFiles(catalog: { BlindCatalog(base: $0) })
    },
    Canary(
      "early-acknowledgement", "An object store says that a file is written, and loses some.",
      of: "event-aggregation", "training-set", "erasure"
    ) { _, ports in
      let written = Mutex(0)
      ports.hookLakeFiles(objects: { base in
        var objects = HookedObjects(base)
        objects.onPut = { (key, bytes) async throws(PortError) in
          let count = written.withLock { count in
            count += 1
            return count
          }
          if count % 20 != 0 { try await base.put(key, bytes) }
        }
        return objects
      })
    },
    Canary(
      "unpinned-scan", "The trainer notes a snapshot, and scans whichever is current.",
      reference: "§10.12", of: "training"
    ) { _, ports in
      ports.hookLake { lake, base in
        lake.onScan = { (table, selection) async throws(PortError) in
          var selection = selection
          selection.snapshot = nil
          return try await base.scan(table, selection)
        }
      }
    },
    Canary(
      "deletes-ignored", "Erasure's row-level deletes never take hold.", of: "erasure"
    ) { _, ports in
      ports.hookCommits { change, _ in change.removal = .nothing }
    },
    Canary(
      "comments-stay", "Erasure knows of deleted images, not of deleted comments.", of: "erasure"
    ) { _, ports in
      ports.hookStore { store, base in
        store.onSnapshot = { () async throws(PortError) in
          var snapshot = try await base.snapshot()
          for index in snapshot.comments.indices { snapshot.comments[index].deletedAt = nil }
          return snapshot
        }
      }
    },
    Canary(
      "files-stay", "The files of deleted images stay in the object store.", of: "expire"
    ) { _, ports in
      ports.hookObjects { objects, _ in objects.onDelete = { _ in } }
    },
    Canary(
      "snapshots-stay", "Expiry says that it is done, and drops no snapshot.", of: "expire"
    ) { _, ports in
      ports.hookLake { lake, _ in lake.onExpire = { _, _ in MaintenanceReport() } }
    },
  ]
}

extension TableName {
  /// The topic that an aggregation writes to this table.
  fileprivate var aggregatedTopic: String? {
    Metric.allCases.first { [LakeTables.events($0), LakeTables.windows($0)].contains(self) }?.topic
  }
}

extension [TableSnapshot] {
  /// The history as if its last snapshot noted these offsets, or none.
  fileprivate func resuming(at offsets: [Int64]?) -> Self {
    guard var last else { return self }
    last.summary[LogOffsets.key] = offsets?.map(String.init).joined(separator: ",")
    return dropLast() + [last]
  }
}

extension Checkpoint {
  /// Offsets of the partitions of a topic.
  fileprivate init(topic: String, offsets: [Int64]) {
    self.init(
      offsets: Dictionary(
        uniqueKeysWithValues: offsets.enumerated().map { (TopicPartition(topic, $0), $1) }))
  }

  /// The next offsets of a topic, by partition.
  fileprivate func offsets(of topic: String) -> [Int64] {
    offsets.filter { $0.key.topic == topic }.sorted { $0.key < $1.key }.map(\.value)
  }
}
