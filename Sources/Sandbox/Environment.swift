// SPDX-License-Identifier: Apache-2.0
// The environment that the command is given.

internal import Linux
internal import Text

/// Strings of the form `NAME=VALUE`; names that nestbox sets occur once.
struct Environment {
  private(set) var strings: [ByteString]

  /// The caller's environment, or the variables to keep of it, with `changes` applied in order.
  init(
    _ inherited: [ByteString], keeping kept: [VariablePattern]? = nil,
    _ changes: [EnvironmentChange]
  ) {
    strings = inherited
    if let kept { strings.removeAll { string in !kept.contains { $0.matches(string) } } }
    for change in changes {
      switch change {
      case .keep(let patterns): restore(patterns, of: inherited)
      case .display: self.change(Environment.display(in: inherited))
      default: self.change([change])
      }
    }
  }

  private mutating func restore(_ patterns: [VariablePattern], of inherited: [ByteString]) {
    for string in inherited where patterns.contains(where: { $0.matches(string) }) {
      let name = ByteString(string.bytes.prefix { $0 != UInt8(ascii: "=") })
      set(name, to: string.value(ofVariable: name))
    }
  }

  /// The changes that name the X server of `inherited` as it is shown inside.
  static func display(in inherited: [ByteString]) -> [EnvironmentChange] {
    guard let display = value(of: "DISPLAY", in: inherited) else { return [] }
    return [
      .set("DISPLAY", to: XDisplay.value(inside: display)),
      .set("XAUTHORITY", to: ByteString(XDisplay.cookieInside)),
    ]
  }

  /// Makes `changes` in order.
  mutating func change(_ changes: [EnvironmentChange]) {
    for change in changes {
      switch change {
      case .set(let name, let value): set(name, to: value)
      case .unset(let name): unset(name)
      case .clear: strings = []
      // Their values are known only from the caller's environment.
      case .keep, .display: break
      }
    }
  }

  /// The value of `name`, or nil where it is not set.
  func value(of name: ByteString) -> ByteString? { Environment.value(of: name, in: strings) }

  /// The value of `name` in `strings`, or nil where it is not set.
  static func value(of name: ByteString, in strings: [ByteString]) -> ByteString? {
    for string in strings where string.isVariable(name) {
      return string.value(ofVariable: name)
    }
    return nil
  }

  /// Sets `name`, in its old place where it has one.
  mutating func set(_ name: ByteString, to value: ByteString) {
    let string = ByteString(variable: name, value: value)
    if let index = strings.firstIndex(where: { $0.isVariable(name) }) {
      strings[index] = string
    } else {
      strings.append(string)
    }
  }

  /// Removes `name` wherever it is set.
  mutating func unset(_ name: ByteString) {
    strings.removeAll { $0.isVariable(name) }
  }
}

extension Environment {
  /// The names that are set.
  var names: [ByteString] {
    strings.map { ByteString($0.bytes.prefix { $0 != UInt8(ascii: "=") }) }
  }
}
