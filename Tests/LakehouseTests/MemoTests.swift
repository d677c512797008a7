import Synchronization
import Testing

@testable import Lakehouse

@Suite("Memo")
struct MemoTests {
  private enum Refusal: Error { case odd }

  @Test("A value is made once until there are too many; then all are forgotten")
  func limit() {
    let memo = Memo<Int, String>(limit: 2)
    let made = Mutex<[Int]>([])
    for argument in [1, 2, 1, 2, 3, 3, 1] {
      let value = memo.value(for: argument) {
        made.withLock { $0.append(argument) }
        return "\(argument)"
      }
      #expect(value == "\(argument)")
    }
    #expect(made.withLock { $0 } == [1, 2, 3, 1])
  }

  @Test("What failed is tried again")
  func failure() throws {
    let memo = Memo<Int, Int>(limit: 2)
    #expect(throws: Refusal.odd) {
      try memo.value(for: 1) { () throws(Refusal) in throw .odd }
    }
    #expect(memo.value(for: 1) { 7 } == 7)
  }
}
