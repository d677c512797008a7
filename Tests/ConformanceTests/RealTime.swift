import Glibc
import Moderation
import Ports

/// The machine's clock, for what a server decides in real time.
struct RealTime: TimeSource {
  var now: ProcessingTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return ProcessingTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
  }

  func wait(until deadline: ProcessingTime?, for signal: Signal?, reason: String) async {
    while !Task.isCancelled, deadline.map({ now < $0 }) ?? true { await Task.yield() }
  }

  /// So much later than now.
  func after(_ duration: Duration) -> ProcessingTime { now + duration }
}
