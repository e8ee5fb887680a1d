// SPDX-License-Identifier: Apache-2.0
// Whether a rule allows nothing that another one does not allow, for a profile that must not permit more than
// the line from which it was learned.

internal import Text

extension NetworkRule {
  /// Whether everything that this rule allows is allowed by `other`, as far as rules are compared.
  public func isWithin(_ other: NetworkRule) -> Bool {
    if self == other { return true }
    guard other.transport == nil || transport == other.transport, pin == other.pin,
      hasPorts(within: other)
    else { return false }
    if let range, other.range?.contains(range) != true { return false }
    return switch (target, other.target) {
    case (.everything, .everything), (.name, .everything), (.below, .everything): true
    case (.addresses(let mine), .everything): mine.length == 128 && !mine.first.isPrivate
    case (.name(let mine), .name(let theirs)): mine == theirs
    case (.name(let mine), .below(let theirs)): mine.isBelow(theirs)
    case (.below(let mine), .below(let theirs)): mine == theirs || mine.isBelow(theirs)
    case (.addresses(let mine), .addresses(let theirs)): theirs.contains(mine)
    default: false
    }
  }

  private func hasPorts(within other: NetworkRule) -> Bool {
    if other.ports.isEmpty { return true }
    return !ports.isEmpty
      && ports.allSatisfy { mine in
        other.ports.contains { $0.contains(mine.lowerBound) && $0.contains(mine.upperBound) }
      }
  }
}
