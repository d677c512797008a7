import Synchronization
import Testing

@testable import Lakehouse

@Suite("What is done side by side comes out in order")
struct ParallelTests {
  private struct Odd: Error, Equatable { var number: Int }

  @Test("Values are in the order of the elements", arguments: [1, 2, 7])
  func order(width: Int) {
    let squares = Parallel.map(Array(0..<1000), width: width) { $0 * $0 }
    #expect(squares == (0..<1000).map { $0 * $0 })
  }

  @Test("Of several errors that of the first element is thrown", arguments: [1, 2, 7])
  func firstError(width: Int) {
    #expect(throws: Odd(number: 301)) {
      try Parallel.map(Array(0..<1000), width: width) { number throws(Odd) in
        if number > 300, number % 2 == 1 { throw Odd(number: number) }
        return number
      }
    }
  }

  @Test("What was begun on another thread is there when it is asked for, as often as it is")
  func begun() {
    let sums = (0..<20).map { number in
      Parallel.beginning { (0...1000).reduce(number, +) }
    }
    #expect(sums.map(\.value) == (0..<20).map { 500_500 + $0 })
    #expect(sums[3].value == 500_503)
    #expect(Parallel.beginning { nil as Int? }.value == nil)
  }

  @Test("Where every thread waits for something begun, all of it is done nevertheless")
  func crowded() {
    let numbers = Array(0..<200)
    let doubled = Parallel.map(numbers, width: 100) { number in
      let later = (0..<3).map { part in Parallel.beginning { number + part } }
      return later.map(\.value).reduce(0, +)
    }
    #expect(doubled == numbers.map { 3 * $0 + 3 })
  }

  @Test("A series is done in the order in which it was begun, also where nobody has a thread left")
  func series() {
    let sums = Parallel.map(Array(0..<100), width: 100) { number -> [Int] in
      let done = Mutex<[Int]>([])
      let series = Parallel.Series()
      // More than may be begun before the first is done.
      for part in 0..<200 { series.begin { done.withLock { $0.append(number + part) } } }
      series.wait()
      return done.withLock { $0 }
    }
    #expect(sums == (0..<100).map { number in (0..<200).map { number + $0 } })
  }
}
