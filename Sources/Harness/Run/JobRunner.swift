import Moderation
import Pipeline
import Ports

/// Runs a scenario's jobs, and starts those again that a fault ended.
struct JobRunner: Sendable {
  let scenario: Scenario
  let options: RunOptions
  let platform: Platform

  /// How often a job is started before it is given up: once, unless faults are about.
  private var attempts: Int {
    if options.restartsJobs { return 2 }
    return scenario.faults.isEmpty ? 1 : 8
  }

  /// The scheduled jobs by instant, then as written; those that run side by side in one group.
  private var groups: [(at: Duration, jobs: [ScheduledJob])] {
    var groups: [(at: Duration, jobs: [ScheduledJob])] = []
    let scheduled = scenario.jobs.enumerated().compactMap { index, job in
      job.at.map { (at: $0, index: index, job: job) }
    }.sorted { ($0.at, $0.index) < ($1.at, $1.index) }
    for entry in scheduled {
      if entry.job.isBeside, groups.last?.at == entry.at {
        groups[groups.count - 1].jobs.append(entry.job)
      } else {
        groups.append((entry.at, [entry.job]))
      }
    }
    return groups
  }

  /// Runs the scheduled jobs, each at its time or when those before it are through. Jobs side by
  /// side take turns at every port operation, so that their commits collide.
  func runScheduled() async {
    platform.collector.noteJobs(open: true)
    for (offset, jobs) in groups {
      let at = ProcessingTime(microseconds: (scenario.start + offset).microseconds)
      await platform.environment.time.sleep(until: at)
      if Task.isCancelled { return }
      guard jobs.count > 1 else {
        await run(jobs[0], platform)
        continue
      }
      let takingTurns = platform.takingTurns
      await withTaskGroup { group in
        for job in jobs {
          group.addTask(name: job.job.rawValue) { await run(job, takingTurns) }
        }
      }
    }
    platform.collector.noteJobs(open: false)
  }

  /// Runs the jobs of the end, after those of the schedule.
  func runFinal() async {
    while platform.collector.hasOpenJobs, !Task.isCancelled {
      await platform.environment.time.sleep(for: .seconds(1))
    }
    for job in scenario.jobs where job.at == nil { await run(job, platform) }
  }

  /// Runs a job; after a failure again, as an operator would, later each time.
  private func run(_ job: ScheduledJob, _ platform: Platform) async {
    for attempt in 1...attempts {
      var run = await attempted(job, platform)
      run.isRepeated = run.failure != nil && attempt < attempts
      platform.collector.note(run)
      guard run.isRepeated, !Task.isCancelled else { return }
      if !options.restartsJobs {
        await platform.environment.time.sleep(for: .seconds(60 * attempt))
      }
    }
  }

  private func attempted(_ job: ScheduledJob, _ platform: Platform) async -> JobRun {
    let start = platform.environment.now
    var run = JobRun(
      job: job.job, at: start, endedAt: start, counts: [:],
      runsBefore: platform.collector.endedJobs)
    do throws(PortError) {
      run.counts = try await platform.job(job).run()
    } catch {
      run.failure = error.description
      platform.environment.record(
        "job-failed", [.text("job", job.job.rawValue), .text("error", error.description)])
    }
    run.endedAt = platform.environment.now
    return run
  }
}
