import Harness
import Moderation
import Pipeline
import Ports
import Synchronization

/// The API and the moderators.
extension Canary {
  static let intake = [
    Canary(
      "publish-after-commit",
      "The API writes the rows, then publishes without waiting: a failure in between loses the "
        + "event.",
      reference: "§10.8", needsFaults: true
    ) { $0.policy.publication = .direct },
    Canary(
      "forgotten-event", "The handler of flags on comments forgets to publish its event.",
      of: "intake"
    ) { _, ports in
      ports.hookStore { store, base in
        store.onCommit = { (mutations) async throws(PortError) in
          try await base.commit(mutations) { mutation in
            guard case .enqueue(let event) = mutation else { return true }
            return event.topic != EventKind.flag.topic || event.key != nil
          }
        }
      }
    },
    Canary(
      "unstamped-actor", "Events don't say that their actor isn't eligible.", of: "intake"
    ) { _, ports in
      ports.hookStore { store, base in
        store.onCommit = { (mutations) async throws(PortError) in
          try await base.commit(mutations.map(\.stampedEligible))
        }
      }
    },
    Canary(
      "stale-user", "The API's cache of users isn't invalidated when a birth date is corrected.",
      of: "intake"
    ) { _, ports in
      ports.hookStore { store, base in
        let cache = Mutex<[RowKey: Row]>([:])
        store.onFetch = { (keys) async throws(PortError) in
          let rows = try await base.fetch(keys)
          return cache.withLock { cache in
            zip(keys, rows).map { key, row in
              guard case .user = key, let row else { return row }
              if cache[key] == nil { cache[key] = row }
              return cache[key]
            }
          }
        }
      }
    },
    Canary(
      "never-deleted", "Nothing ever sets `deleted_at`, though the API says that it did.",
      reference: "§10.11", of: "intake"
    ) { _, ports in
      ports.hookStore { store, base in
        store.onCommit = { (mutations) async throws(PortError) in
          try await base.commit(mutations) { mutation in
            switch mutation {
            case .deleteImage, .deleteComment: false
            default: true
            }
          }
        }
      }
    },
    Canary(
      "local-time", "Upload times are stored as New York's clock shows them, and read as UTC.",
      of: "intake"
    ) { _, ports in
      ports.hookStore { store, base in
        store.onCommit = { (mutations) async throws(PortError) in
          try await base.commit(
            mutations.map { $0.changingImage { $0.createdAt = $0.createdAt - .seconds(5 * 3600) } })
        }
      }
    },
    Canary(
      "lower-case-category", "Categories are stored in lower case, and match no one-hot column.",
      of: "intake"
    ) { _, ports in
      ports.hookStore { store, base in
        store.onCommit = { (mutations) async throws(PortError) in
          try await base.commit(
            mutations.map { $0.changingImage { $0.category = $0.category?.lowercased() } })
        }
      }
    },
    Canary(
      "year-of-birth", "Minors are told by the year of birth alone.", reference: "§10.11"
    ) { $0.policy.governance.ageRule = .yearOfBirth },
    Canary(
      "no-minors",
      "The traffic's birth years make no minor at all: the rules about them never run.",
      reference: "§10.11"
    ) {
      $0.population.minors = 0
      $0.population.nearBirthday = 0
    },
    Canary(
      "unsettled-flags", "A moderator's decision leaves the flags pending.",
      of: "review-desk"
    ) { _, ports in
      ports.hookStore { store, base in
        store.onCommit = { (mutations) async throws(PortError) in
          try await base.commit(mutations) { mutation in
            if case .resolveFlags = mutation { false } else { true }
          }
        }
      }
    },
  ]
}

extension ApplicationStore {
  /// Carries out some of the mutations, and says of the others that they were done.
  func commit(
    _ mutations: [Mutation], where keeps: (Mutation) -> Bool
  ) async throws(PortError) -> [MutationOutcome] {
    var outcomes = try await commit(mutations.filter(keeps))[...]
    return mutations.map { keeps($0) ? outcomes.popFirst() ?? .done : .done }
  }
}

extension Mutation {
  /// The mutation with another image, when it inserts one.
  fileprivate func changingImage(_ change: (inout Image) -> Void) -> Mutation {
    guard case .insertImage(var image) = self else { return self }
    change(&image)
    return .insertImage(image)
  }

  /// The mutation with an eligible actor, when it is an event's.
  fileprivate var stampedEligible: Mutation {
    guard case .enqueue(var message) = self else { return self }
    do throws(EventDecodingError) {
      var event = try EventCodec.decode(message.value, fallbackID: EventID(high: 0, low: 0))
      event.actorEligible = true
      message.value = EventCodec.encode(event)
    } catch {
      preconditionFailure("the API published what isn't an event: \(error)")
    }
    return .enqueue(message)
  }
}
