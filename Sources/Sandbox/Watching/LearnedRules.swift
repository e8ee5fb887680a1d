// SPDX-License-Identifier: Apache-2.0
// What a learned profile has in the place of rules for more: the names on buses and the system calls that were
// used.

internal import Seccomp
internal import Text

extension Learner {
  /// Adds the names that were called, in the place of groups of names that may be called.
  func addBusRules(to items: inout [LearnedItem]) {
    for (bus, access) in plan.sandbox.buses.shown {
      let option = bus.talkOption
      let rules = access.rules.filter { $0.policy == .talk }
      // Which name a connection has is not known.
      if called.contains("") { items.append(LearnedItem(.rule, option)) }
      for rule in rules {
        guard let group = rule.group else {
          items.append(LearnedItem(.rule, option, notes: [rule.pattern]))
          continue
        }
        let names = called.filter {
          $0.bytes.elementsEqual(group.dropLast()) || $0.bytes.starts(with: group)
        }
        for name in names { items.append(LearnedItem(.rule, option, notes: [name])) }
        if names.isEmpty {
          items.append(LearnedItem(.unused, option.appending(" ").appending(rule.pattern)))
        }
      }
    }
  }
}

extension BusRule {
  /// If the rule is about a group of names, what they begin with.
  fileprivate var group: ArraySlice<UInt8>? {
    pattern.bytes.suffix(2).elementsEqual(".*".utf8) ? pattern.bytes.dropLast() : nil
  }
}

extension Learner {
  /// Adds the calls that were made, in the place of what --seccomp-allow names.
  func addCalls(to items: inout [LearnedItem]) {
    guard plan.sandbox.policy?.hasAdditions == true else { return }
    let option: ByteString = "--seccomp-allow"
    // "number 512", which no option can name.
    guard let additions, !additions.contains(where: { $0.bytes.contains(UInt8(ascii: " ")) }) else {
      return items.append(LearnedItem(.rule, option))
    }
    for name in additions { items.append(LearnedItem(.rule, option, notes: [name])) }
    if additions.isEmpty { items.append(LearnedItem(.unused, option)) }
  }
}
