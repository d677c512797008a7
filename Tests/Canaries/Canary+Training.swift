import Harness
import Moderation
import Pipeline
import Ports
import Synchronization

/// The training set: its features, labels and governance.
extension Canary {
  static let training = [
    Canary(
      "whole-windows", "Training features come from whole 5-minute windows, of which none fits.",
      reference: "§10.1"
    ) { $0.policy.offline = .lab },
    Canary(
      "unripe-labels", "Labels are taken before the 24 hours are over.", reference: "§10.5"
    ) { $0.policy.labels = .lab },
    Canary(
      "leaky-label", "A flag that is counted in a feature makes the label, too.",
      reference: "§10.5", of: "training-set"
    ) { _, ports in
      ports.hookTraining { rows in
        let flags = rows.integers("total_flags")
        rows.changeIntegers("label_needs_moderation_24h") { row, label in
          flags[row] > 0 ? 1 : label
        }
      }
    },
    Canary(
      "short-label-window", "A label looks at 23 hours of flags, not 24.", of: "training-set"
    ) { _, ports in
      ports.hookStore { store, base in
        store.onSnapshot = { () async throws(PortError) in
          var snapshot = try await base.snapshot()
          let uploads = Dictionary(
            uniqueKeysWithValues: snapshot.images.map { ($0.id, $0.createdAt) })
          snapshot.flags.removeAll { flag in
            let upload = flag.imageID.flatMap { uploads[$0] }
            return upload.map { flag.createdAt > $0 + .seconds(23 * 3600) } ?? false
          }
          return snapshot
        }
      }
    },
    Canary(
      "lost-null", "A label that isn't known yet is stored as 0.", of: "training-set"
    ) { _, ports in
      ports.hookTraining { rows in
        guard let column = rows.schema.index(of: "label_needs_moderation_24h") else { return }
        rows.columns[column].validity = nil
      }
    },
    Canary(
      "integer-division", "Ratios of counts are divided as whole numbers.", of: "training-set"
    ) { _, ports in
      ports.hookTraining { rows in
        for column in rows.columns.indices {
          guard case .doubles(let values) = rows.columns[column].values else { continue }
          rows.columns[column].values = .doubles(values.map { $0.rounded(.down) })
        }
      }
    },
    Canary(
      "image-only-governance", "Governance looks at the image's owner, not at who clicked on it.",
      reference: "§10.2", of: "training-set"
    ) { _, ports in
      ports.hookLake { lake, base in
        lake.onScan = { (table, selection) async throws(PortError) in
          var rows = try await base.scan(table, selection)
          guard table.namespace == "events", let stamp = rows.schema.index(of: "actor_eligible"),
            let user = rows.schema.index(of: "user_id")
          else { return rows }
          rows.columns[stamp].values = .booleans(Array(repeating: true, count: rows.count))
          rows.columns[user] = RecordBatch.Column(nulls: rows.count, .string)
          return rows
        }
      }
    },
    Canary(
      "appended-training-set", "Each build appends the whole training set again.",
      reference: "§10.3", of: "training-set"
    ) { _, ports in
      ports.hookCommits { change, table in
        if table == LakeTables.trainingData { change.removal = .nothing }
      }
    },
    Canary(
      "stale-extract", "Jobs know users from a cache that the first of them filled.",
      of: ["training-set", "erasure"]
    ) {
      let cache = Mutex<[UserID: User]>([:])
      return { _, ports in
        ports.hookStore { store, base in
          store.onSnapshot = { () async throws(PortError) in
            var snapshot = try await base.snapshot()
            cache.withLock { cache in
              for index in snapshot.users.indices {
                let user = snapshot.users[index]
                snapshot.users[index] = cache[user.id] ?? user
                cache[user.id] = snapshot.users[index]
              }
            }
            return snapshot
          }
        }
      }
    },
  ]
}

extension Backends {
  /// Changes what is committed to the lake.
  mutating func hookCommits(
    _ change: @escaping @Sendable (inout TableChange, TableName) -> Void
  ) {
    hookLake { lake, base in
      lake.onCommit = { (tableChange, table, parent) async throws(PortError) in
        var tableChange = tableChange
        change(&tableChange, table)
        return try await base.commit(tableChange, to: table, expecting: parent)
      }
    }
  }

  /// Changes the rows that are committed to the training set.
  fileprivate mutating func hookTraining(
    _ change: @escaping @Sendable (inout RecordBatch) -> Void
  ) {
    hookCommits { tableChange, table in
      guard table == LakeTables.trainingData, var rows = tableChange.append else { return }
      change(&rows)
      tableChange.append = rows
    }
  }
}

extension RecordBatch {
  /// Changes the integers of a column, given each one's row.
  mutating func changeIntegers(_ name: String, _ change: (Int, Int64) -> Int64) {
    guard let column = schema.index(of: name), case .integers(let values) = columns[column].values
    else { return }
    columns[column].values = .integers(values.enumerated().map(change))
  }
}
