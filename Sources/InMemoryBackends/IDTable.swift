import Moderation

/// Values by id, in one array: an id lies beside its value, and a look at both costs one visit to
/// memory, where a dictionary's costs two or three. Nothing is ever removed, and there is no order.
///
/// Open addressing with linear probing, from the beginning of a line of the processor's memory on:
/// most searches end within the line. A place follows from the *upper* bits of a hash, so that a
/// table that grows is read and written from front to back.
struct IDTable<Entity, Value: Sendable>: Sendable {
  private struct Slot: Sendable {
    var id: ID<Entity>
    var value: Value
  }

  /// The id of an empty slot. Should an entity have it, ``nameless`` keeps its value.
  private static var none: ID<Entity> { ID(high: 0, low: 0) }

  private var slots: ContiguousArray<Slot>
  private let empty: Slot
  private var nameless: Value?
  private var shift: UInt64 = 60
  private var count = 0
  /// Slots before the first line of memory that slots fill: a search begins with a line.
  private var lineStart = 0

  /// A table without ids.
  ///
  /// - Parameter filler: any value; it stands where there is none.
  init(filler: Value) {
    empty = Slot(id: Self.none, value: filler)
    slots = ContiguousArray(repeating: empty, count: 16)
  }

  /// All values, in no order.
  var values: [Value] {
    slots.filter { $0.id != Self.none }.map(\.value) + (nameless.map { [$0] } ?? [])
  }

  /// The value of an id; nil when there is none.
  subscript(_ id: ID<Entity>) -> Value? {
    guard id != Self.none else { return nameless }
    let index = place(of: id)
    return slots[index].id == id ? slots[index].value : nil
  }

  /// Looks at where an id would be, without asking whether it is there. Looks in a row wait for
  /// memory at the same time; searches don't, since each waits for what it finds.
  ///
  /// - Returns: a number that the caller must keep, or nothing is looked at.
  func look(at id: ID<Entity>) -> UInt64 { slots[home(of: id)].id.low }

  /// Gives an id a value, unless it has one.
  ///
  /// - Returns: the value that it has had.
  mutating func insert(_ id: ID<Entity>, _ value: Value) -> Value? {
    guard id != Self.none else {
      defer { nameless = nameless ?? value }
      return nameless
    }
    let index = place(of: id)
    if slots[index].id == id { return slots[index].value }
    fill(index, id, value)
    return nil
  }

  /// Gives an id a value, whether it has had one or not.
  mutating func put(_ id: ID<Entity>, _ value: Value) {
    guard id != Self.none else {
      nameless = value
      return
    }
    let index = place(of: id)
    if slots[index].id == id { slots[index].value = value } else { fill(index, id, value) }
  }

  private mutating func fill(_ index: Int, _ id: ID<Entity>, _ value: Value) {
    slots[index] = Slot(id: id, value: value)
    count += 1
    if count * 4 > slots.count * 3 { grow() }
  }

  /// Where an id is, or where it would be put.
  private func place(of id: ID<Entity>) -> Int {
    var index = home(of: id)
    while slots[index].id != id, slots[index].id != Self.none {
      index = (index + 1) & (slots.count - 1)
    }
    return index
  }

  /// Ids are random; a multiplication spreads those that tests count up.
  private func home(of id: ID<Entity>) -> Int {
    let hash = (id.high ^ id.low) &* 0x9e37_79b9_7f4a_7c15
    let index = Int(truncatingIfNeeded: hash >> shift)
    guard MemoryLayout<Slot>.stride == 16 else { return index }
    return ((index & ~3) + lineStart) & (slots.count - 1)
  }

  private mutating func grow() {
    let old = slots
    shift -= 1
    slots = ContiguousArray(repeating: empty, count: old.count * 2)
    lineStart = slots.withUnsafeBufferPointer { -Int(bitPattern: $0.baseAddress) & 63 } / 16
    for slot in old where slot.id != Self.none { slots[place(of: slot.id)] = slot }
  }
}
