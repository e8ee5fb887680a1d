// SPDX-License-Identifier: Apache-2.0
// Writing what is left of a program as instructions.

/// Writes a program from its end to its beginning, so that what is jumped to is there already.
struct ProgramWriter {
  /// The last instruction first.
  private var reversed: [UInt64] = []
  private let residues: Residues
  private var places: [Int: Int] = [:]

  init(_ residues: Residues) {
    self.residues = residues
  }

  /// The distance that the two targets of a comparison can have.
  private static let reach = 255

  mutating func write(_ program: Specialized) -> [UInt64] {
    var next = search(program.others[...])
    for (token, ranges) in program.architectures.reversed() {
      let match = search(ranges[...], loading: true)
      next = branch(InstructionCode.jumpIfEqual, token, yes: match, no: next)
    }
    append(InstructionCode.load, InstructionCode.architecture)
    return reversed.reversed()
  }

  /// Writes the search for a number's range.
  /// - Returns: The place of its first instruction.
  private mutating func search(
    _ ranges: ArraySlice<Specialized.Range>, loading: Bool = false
  ) -> Int {
    let start = tree(ranges)
    guard loading else { return start }
    jump(to: start)
    return append(InstructionCode.load, InstructionCode.number)
  }

  private mutating func tree(_ ranges: ArraySlice<Specialized.Range>) -> Int {
    guard ranges.count > 1 else { return place(ranges[ranges.startIndex].residue) }
    let middle = ranges.startIndex + ranges.count / 2
    let above = tree(ranges[middle...])
    let below = tree(ranges[..<middle])
    return branch(InstructionCode.jumpIfGreaterOrEqual, ranges[middle].first, yes: above, no: below)
  }

  /// What is still to be written of a residue.
  private enum Task {
    /// It, and before it what it leads to.
    case place(Int)
    /// It alone; where the places of what it leads to are the last that were found.
    case write(Int)
  }

  /// The place of `residue`, which is written where it is not there or too far away.
  ///
  /// With a list of tasks in the place of calls to itself, as `Run` has.
  private mutating func place(_ residue: Int) -> Int {
    var tasks = [Task.place(residue)]
    var found: [Int] = []
    while let task = tasks.popLast() {
      switch task {
      case .place(let residue):
        if let place = places[residue], reversed.count - place < ProgramWriter.reach - 8 {
          found.append(place)
          continue
        }
        tasks.append(.write(residue))
        switch residues.all[residue] {
        case .answer: break
        case .load(_, _, let rest): tasks.append(.place(rest))
        case .test(_, _, let yes, let no): tasks += [.place(no), .place(yes)]
        }
      case .write(let residue):
        let place = write(residues.all[residue], &found)
        places[residue] = place
        found.append(place)
      }
    }
    return found.removeLast()
  }

  /// Writes a residue, whose targets are the last of `places`.
  private mutating func write(_ residue: Residue, _ places: inout [Int]) -> Int {
    switch residue {
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

  /// Writes a jump, unless what was written last is what it would lead to.
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

  /// A place in reach that leads to `place`.
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
