import Harness
import Moderation
import Pipeline
import Ports
import Synchronization

/// The relay, the log and its consumers.
extension Canary {
  static let stream = [
    Canary(
      "marked-first", "The outbox is marked published before its events are appended.",
      needsFaults: true, of: "outbox-relay"
    ) { _, ports in
      ports.hookStore { store, base in
        store.onOutbox = { (limit) async throws(PortError) in
          let entries = try await base.outbox(limit: limit)
          try await base.markPublished(entries.map(\.sequence))
          return entries
        }
      }
    },
    Canary(
      "mark-before-events", "A resolved timestamp is published before the events that it claims.",
      of: "outbox-relay"
    ) { _, ports in
      ports.hookLog { log, base in
        let held = Mutex<[ProducerRecord]>([])
        log.onAppend = { (records) async throws(PortError) in
          guard records.first?.topic == Topic.resolved else {
            held.withLock { $0 += records }
            return records.map { RecordPosition(partition: TopicPartition($0.topic, 0), offset: 0) }
          }
          let positions = try await base.append(records)
          let events = held.withLock { held in
            defer { held = [] }
            return held
          }
          _ = try await base.append(events)
          return positions
        }
      }
    },
    Canary(
      "lossy-retry", "A producer that sends a batch again leaves out its last record.",
      needsFaults: true, of: "outbox-relay"
    ) { _, ports in
      ports.hookLog { log, base in
        let sent = Mutex<ProducerRecord?>(nil)
        log.onAppend = { (records) async throws(PortError) in
          let isRetry = sent.withLock { sent in
            defer { sent = records.first }
            return sent != nil && sent == records.first
          }
          return try await base.append(isRetry ? records.dropLast() : records)
        }
      }
    },
    Canary(
      "wrong-partition-key", "Events are spread over the partitions without regard to their image.",
      of: "outbox-relay"
    ) { _, ports in
      ports.hookLog { log, base in
        let count = Mutex(0)
        log.onAppend = { (records) async throws(PortError) in
          let first = count.withLock { count in
            defer { count += records.count }
            return count
          }
          var partitions: [String: Int] = [:]
          for topic in Set(records.map(\.topic)) {
            partitions[topic] = try await base.ends(of: topic).count
          }
          let spread = records.enumerated().map { index, record in
            var record = record
            record.partition = (first + index) % (partitions[record.topic] ?? 1)
            return record
          }
          return try await base.append(spread)
        }
      }
    },
    Canary(
      "no-dead-letters", "Records that aren't events are dropped without a trace.",
      of: "stream-consumer"
    ) { _, ports in
      ports.hookLog { log, base in
        log.onAppend = { (records) async throws(PortError) in
          try await base.append(records.filter { $0.topic != Topic.deadLetters })
        }
      }
    },
    Canary(
      "hash-order", "A poll's records come in the order of a dictionary by partition.",
      of: "stream-consumer"
    ) { _, ports in
      ports.hookLog { log, _ in
        log.onJoin = { consumer, base in
          consumer.onPoll = { (limit, deadline) async throws(PortError) in
            var poll = try await base.poll(limit: limit, until: deadline)
            poll.records = Dictionary(grouping: poll.records, by: \.partition).values.flatMap { $0 }
            return poll
          }
        }
      }
    },
    Canary(
      "commit-before-scoring", "Offsets are committed when requests are read, not when scored.",
      needsFaults: true, of: "risk-scorer"
    ) { _, ports in
      ports.hookLog { log, _ in
        log.onJoin = { consumer, base in
          consumer.onPoll = { (limit, deadline) async throws(PortError) in
            let poll = try await base.poll(limit: limit, until: deadline)
            var next: [TopicPartition: Int64] = [:]
            for record in poll.records { next[record.partition] = record.offset + 1 }
            if !next.isEmpty { try await base.commit(next) }
            return poll
          }
          consumer.onCommit = { (_) async throws(PortError) in }
        }
      }
    },
    Canary(
      "latest-offset", "The scorer starts at the latest offset each time that it joins.",
      reference: "§10.10", of: "risk-scorer"
    ) { _, ports in
      ports.hookLog { log, base in
        log.onJoin = { consumer, member in
          consumer.onPoll = { (limit, deadline) async throws(PortError) in
            var poll = try await member.poll(limit: limit, until: deadline)
            guard let assignment = poll.assignment else { return poll }
            let ends = try await base.ends(of: Topic.moderationRequests)
            try await member.seek(
              Dictionary(uniqueKeysWithValues: assignment.map { ($0, ends[$0.partition]) }))
            poll.records = []
            return poll
          }
        }
      }
    },
    Canary(
      "acknowledged-first", "Due requests are acknowledged before they are published.",
      needsFaults: true, of: "anchor-scheduler"
    ) { _, ports in
      ports.hookFeatures { features, base in
        features.onPending = { (bound, limit) async throws(PortError) in
          let requests = try await base.pending(asOf: bound, limit: limit)
          try await base.acknowledge(requests)
          return requests
        }
      }
    },
  ]
}
