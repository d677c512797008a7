import Harness
import Moderation
import Pipeline
import Ports
import Synchronization

/// The scorer and its database.
extension Canary {
  static let scores = [
    Canary(
      "scoring-at-now", "Requests are scored as of whenever the scorer gets to them.",
      reference: "§10.9"
    ) { $0.policy.scoring = .immediate },
    Canary(
      "swallowed-insert", "Every seventh insert of a score fails, and nobody learns of it.",
      reference: "§10.10", of: "risk-scorer"
    ) { _, ports in
      ports.hookStore { store, base in
        let inserts = Mutex(0)
        store.onCommit = { (mutations) async throws(PortError) in
          let failed = inserts.withLock { inserts in
            mutations.map { mutation in
              guard case .insertModeration = mutation else { return false }
              inserts += 1
              return inserts % 7 == 0
            }
          }
          let kept = zip(mutations, failed).filter { !$0.1 }.map(\.0)
          var outcomes = try await base.commit(kept)[...]
          return failed.map { $0 ? .done : outcomes.popFirst() ?? .done }
        }
      }
    },
    Canary(
      "second-row", "No unique key: a request that is scored again has a second row.",
      reference: "§10.6", needsFaults: true, of: "risk-scorer"
    ) { component, ports in
      ports.hookStore { store, base in
        store.onCommit = { (mutations) async throws(PortError) in
          let outcomes = try await base.commit(mutations)
          for (mutation, outcome) in zip(mutations, outcomes) {
            guard case .insertModeration(var row) = mutation, case .existing = outcome else {
              continue
            }
            row.id = component.ids.make(label: "row")
            // The key is the store's own: another mode gets past it.
            row.inferenceMode += " again"
            _ = try await base.commit([.insertModeration(row)])
          }
          return outcomes
        }
      }
    },
    Canary(
      "stale-model", "The scorer keeps the first journal of models that it saw until it restarts.",
      of: "risk-scorer"
    ) { _, ports in
      ports.hookObjects { objects, base in
        let known = Mutex<[String]>([])
        objects.onList = { (prefix) async throws(PortError) in
          let seen = known.withLock { $0 }
          if !seen.isEmpty { return seen }
          let keys = try await base.list(prefix: prefix)
          known.withLock { $0 = keys }
          return keys
        }
      }
    },
    Canary(
      "deleted-images-counted", "Online, a user's deleted images count; in training they don't.",
      reference: "§10.4", of: "risk-scorer"
    ) { _, ports in
      ports.hookSubjects { $0.existingImages = $0.createdImages }
    },
    Canary(
      "age-at-upload", "Online, an account's age is that at the upload, not at the request.",
      reference: "§10.4", of: "risk-scorer"
    ) { _, ports in
      ports.hookSubjects { subject, asOf in
        let sinceUpload = asOf.microseconds - subject.image.createdAt.microseconds
        subject.uploader.createdAt = subject.uploader.createdAt + .microseconds(sinceUpload)
      }
    },
    Canary(
      "caption-bytes", "Online, a caption's length is counted in bytes, not in characters.",
      of: "risk-scorer"
    ) { _, ports in
      ports.hookSubjects { subject in
        subject.image.caption = subject.image.caption.map {
          String(repeating: "x", count: $0.utf8.count)
        }
      }
    },
    Canary(
      "facts-as-of-now", "Database facts are those of now, not of the request's instant.",
      of: "risk-scorer"
    ) { component, ports in
      ports.hookStore { store, base in
        store.onSubjects = { (questions) async throws(PortError) in
          let now = component.now.asEventTime
          return try await base.subjects(
            questions.map { CountQuestion(image: $0.image, asOf: now) })
        }
      }
    },
    Canary(
      "replica-lag", "The scorer reads a replica that is two seconds behind.", of: "risk-scorer"
    ) { _, ports in
      ports.hookStore { store, base in
        store.onSubjects = { (questions) async throws(PortError) in
          try await base.subjects(questions.moved(by: .seconds(-2)))
        }
      }
    },
    Canary(
      "float-order", "A score's parts are added up in another order."
    ) { $0.policy.heuristic.rules.reverse() },
  ]
}

extension Backends {
  /// Changes what the database says of images, given the instant that it was asked about.
  fileprivate mutating func hookSubjects(
    _ change: @escaping @Sendable (inout SubjectRecord, EventTime) -> Void
  ) {
    hookStore { store, base in
      store.onSubjects = { (questions) async throws(PortError) in
        let subjects = try await base.subjects(questions)
        return zip(subjects, questions).map { subject, question in
          guard var subject else { return nil }
          change(&subject, question.asOf)
          return subject
        }
      }
    }
  }

  fileprivate mutating func hookSubjects(
    _ change: @escaping @Sendable (inout SubjectRecord) -> Void
  ) {
    hookSubjects { subject, _ in change(&subject) }
  }
}
