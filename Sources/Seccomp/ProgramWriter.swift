// SPDX-License-Identifier: Apache-2.0
// Writes steps as instructions.

/// Writes a program from its end to its beginning, so that the targets of jumps exist already.
struct ProgramWriter {
  /// The last instruction first.
  private var reversed: [UInt64] = []
  private let steps: Steps
  private var places: [Int: Int] = [:]

  init(_ steps: Steps) {
    self.steps = steps
  }

  /// How far the two targets of a comparison may lie away.
  private static let reach = 255

  mutating func write(_ dispatch: Dispatch) -> [UInt64] {
    var next = place(dispatch.foreign)
    for (token, ranges) in dispatch.architectures.reversed() {
      let match = search(ranges)
      next = branch(InstructionCode.jumpIfEqual, token, yes: match, no: next)
    }
    append(InstructionCode.load, InstructionCode.architecture)
    return reversed.reversed()
  }

  /// Writes the search for the range of a number.
  /// - Returns: The place of its first instruction.
  private mutating func search(_ ranges: [Dispatch.Range]) -> Int {
    jump(to: tree(ranges[...]))
    return append(InstructionCode.load, InstructionCode.number)
  }

  private mutating func tree(_ ranges: ArraySlice<Dispatch.Range>) -> Int {
    if ranges.count <= 2 * ProgramWriter.mostExceptions + 1, let list = exceptions(in: ranges) {
      return list
    }
    let middle = ranges.startIndex + ranges.count / 2
    let above = tree(ranges[middle...])
    let below = tree(ranges[..<middle])
    return branch(InstructionCode.jumpIfGreaterOrEqual, ranges[middle].first, yes: above, no: below)
  }

  /// Up to so many numbers are compared one after the other, which is shorter than a search.
  private static let mostExceptions = 3

  /// Writes ranges that all take the same step, except single numbers between them.
  /// - Returns: Their place; nil if the ranges are of another kind.
  private mutating func exceptions(in ranges: ArraySlice<Dispatch.Range>) -> Int? {
    guard let first = ranges.first, ranges.count % 2 == 1 else { return nil }
    let exceptions = stride(from: ranges.startIndex + 1, to: ranges.endIndex, by: 2)
    guard
      exceptions.allSatisfy({
        ranges[$0 + 1].step == first.step && ranges[$0 + 1].first == ranges[$0].first + 1
      })
    else { return nil }
    var next = place(first.step)
    for index in exceptions.reversed() {
      let range = ranges[index]
      next = branch(
        InstructionCode.jumpIfEqual, range.first, yes: place(range.step), no: next)
    }
    return next
  }

  /// What remains to be written of a step.
  private enum Task {
    /// The step, and before it the steps after it.
    case place(Int)
    /// The step alone; the places of those after it were found last.
    case write(Int)
  }

  /// The place of a step, which is written where it is missing or too far away.
  ///
  /// A list of tasks and no recursion: a policy may have thousands of conditions on one call.
  private mutating func place(_ step: Int) -> Int {
    var tasks = [Task.place(step)]
    var found: [Int] = []
    while let task = tasks.popLast() {
      switch task {
      case .place(let step):
        if let place = places[step], reversed.count - place < ProgramWriter.reach - 8 {
          found.append(place)
          continue
        }
        tasks.append(.write(step))
        switch steps.all[step] {
        case .answer: break
        case .load(_, _, let rest): tasks.append(.place(rest))
        case .test(_, _, let yes, let no): tasks += [.place(no), .place(yes)]
        }
      case .write(let step):
        let place = write(steps.all[step], &found)
        places[step] = place
        found.append(place)
      }
    }
    return found.removeLast()
  }

  /// Writes a step; its targets are the last of `places`.
  private mutating func write(_ step: Step, _ places: inout [Int]) -> Int {
    switch step {
    case .answer(let value): return append(InstructionCode.answer, value)
    case .test(let code, let constant, _, _):
      let no = places.removeLast()
      return branch(code, constant, yes: places.removeLast(), no: no)
    case .load(let offset, let mask, _):
      jump(to: places.removeLast())
      if mask != UInt32.max { append(InstructionCode.and, mask) }
      return append(InstructionCode.load, offset)
    }
  }

  /// Writes a jump to `place`, unless that is what was written last.
  private mutating func jump(to place: Int) {
    let distance = reversed.count - place - 1
    if distance > 0 { append(InstructionCode.jump, UInt32(distance)) }
  }

  private mutating func branch(_ code: UInt16, _ constant: UInt32, yes: Int, no: Int) -> Int {
    let (yes, no) = (near(yes), near(no))
    // The second jump may have moved the first target away by one.
    let distances = (reversed.count - yes - 1, reversed.count - no - 1)
    return append(code, constant, yes: distances.0, no: distances.1)
  }

  /// `place`, or a jump to it that is in reach.
  private mutating func near(_ place: Int) -> Int {
    let distance = reversed.count - place - 1
    // With room for the second target's jump.
    guard distance > ProgramWriter.reach - 1 else { return place }
    return append(InstructionCode.jump, UInt32(distance))
  }

  @discardableResult private mutating func append(
    _ code: UInt16, _ constant: UInt32, yes: Int = 0, no: Int = 0
  ) -> Int {
    reversed.append(
      UInt64(code) | UInt64(yes) << 16 | UInt64(no) << 24 | UInt64(constant) << 32)
    return reversed.count - 1
  }
}
