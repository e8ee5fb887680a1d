// SPDX-License-Identifier: Apache-2.0
// One option of a command line: whether its operands are there, and what it does to the draft.

internal import Sandbox
internal import Text

extension Parser {
  static func require(
    _ operands: ArraySlice<ByteString>, of option: Option, _ draft: Draft
  ) throws(UsageError) {
    let isComplete =
      operands.count == option.operands.count
      || option.traits.contains(.lastIsOptional) && operands.count == option.operands.count - 1
    guard isComplete else {
      let missing = option.operands[operands.count].name
      let remedy =
        switch missing {
        case "SANDBOX": "; nestbox --list shows the running sandboxes"
        case "REVIEW": "; \(draft.reviewLine("--reviews")) shows the reviews that wait"
        default: ""
        }
      throw UsageError(
        "\(option.name): \(missing) is missing\(remedy)",
        bubblewrap: "\(option.name) takes \(bubblewrapCount(of: option))")
    }
  }

  /// How many words an option takes, as bubblewrap says it.
  private static func bubblewrapCount(of option: Option) -> String {
    switch option.operands.count {
    case 1:
      ["--remount-ro", "--chdir", "--argv0"].contains(option.name) ? "one argument" : "an argument"
    case 2: "two arguments"
    default: "three arguments"
    }
  }

  mutating func apply(
    _ option: Option, _ occurrence: Occurrence
  ) throws(UsageError) {
    try requireNoModifier(before: option)
    if option.traits.contains(.lastWins) { warnOfAnother(occurrence) }
    if !option.traits.contains(.isForEntering), draft.optionOfNewSandbox == nil {
      draft.optionOfNewSandbox = option.name
    }
    // Names no file, and with --…-try it would pass for a missing one. A profile means that by a
    // variable that is not set.
    let operands = option.operands.prefix(occurrence.words.count)
    for (index, operand) in operands.enumerated() where operand.isPath {
      guard !occurrence.text(index).isEmpty || occurrence.isOfProfile else {
        throw UsageError(
          "\(option.name) does not take an empty path for \(operand.name)",
          bubblewrap: "\(option.name) does not take an empty path argument")
      }
    }
    let count = draft.sandbox.filesystem.count
    do throws(UsageError) {
      try option.apply(&draft, occurrence)
    } catch {
      throw error.of(option.name)
    }
    if option.traits.contains(.takesRulesBack), draft.sandbox.network.isUsed { takeRulesBack() }
    record?.note(option, occurrence, draft.sandbox.filesystem, from: count)
    if let descriptor = draft.moreArguments.take() { try parseNested(descriptor) }
    if let name = draft.moreProfile.take() {
      let profile: Profile
      do throws(UsageError) {
        profile = try Profile.find(name, surroundings, for: open.last)
      } catch {
        throw UsageError("\(option.name): \(error.message)").at(occurrence.origin)
      }
      try parseProfile(profile, from: occurrence.origin)
    }
  }

  /// Forgets the rules about the network that profiles before this option gave.
  ///
  /// Those of the profile that is being read, of one that includes it, and typed ones stay: who writes
  /// both in one place has made a mistake.
  private mutating func takeRulesBack() {
    let open = open
    let isGone = { (option: WrittenOption) -> Bool in
      guard case .profile = option.origin else { return false }
      return !open.contains { $0.origin(0).isBeside(option.origin) }
    }
    draft.sandbox.network.allowed.removeAll { isGone($0.option) }
    draft.sandbox.network.denied.removeAll { isGone($0.option) }
    let names = ["--net-allow", "--net-allow-try", "--net-deny", "--net-host"]
    record?.remove { names.contains($0.name) && isGone($0) }
  }

  /// Warns if the option was given before in the same text.
  ///
  /// A text that refines another replaces its options on purpose.
  private mutating func warnOfAnother(_ occurrence: Occurrence) {
    let new = occurrence.option
    guard let index = draft.given.firstIndex(where: { $0.name == new.name }) else {
      draft.given.append(new)
      return
    }
    if draft.given[index].origin.isBeside(new.origin) {
      draft.warnings.append("Only the last \(new.name) option will take effect")
    }
    draft.given[index] = new
  }

  /// Throws if `--perms`, `--size` or a part of an overlay precedes an option that cannot use it.
  func requireNoModifier(before option: Option?) throws(UsageError) {
    if let option, option.traits.contains(.isModifier) { return }
    let traits = option?.traits ?? []
    if draft.permissions != nil && !traits.contains(.takesPermissions) {
      throw UsageError("--perms must be followed by an option that creates a file or directory")
    }
    if !draft.overlaySources.isEmpty || !draft.overlayOptions.isEmpty,
      !traits.contains(.takesOverlayParts)
    {
      let overlays = "one of --overlay, --tmp-overlay, or --ro-overlay"
      throw UsageError(
        draft.overlaySources.isEmpty
          ? "--overlay-opt must be followed by \(overlays)"
          : "--overlay-src must be followed by another --overlay-src or \(overlays)")
    }
    if draft.size != nil && !traits.contains(.takesSize) {
      throw UsageError("--size must be followed by --tmpfs")
    }
  }
}
