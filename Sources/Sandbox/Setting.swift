// SPDX-License-Identifier: Apache-2.0
// A setting knows where it came from: its value, the option that set it, and the place of that
// option travel together from the parser to the message about a failure.

/// An option as it was written: its name, and where.
///
/// A class, because every setting holds one and a sandbox is copied as a whole: with the name and
/// the place in each of them, a plain launch touched eight pages more.
public final class WrittenOption: Equatable, Sendable {
  /// The option's name.
  public let name: String
  /// The place.
  public let origin: Origin

  /// Names an option.
  public init(_ name: String, at origin: Origin = .commandLine) {
    self.name = name
    self.origin = origin
  }

  /// The name, and the place if it is a profile.
  public var nameAndPlace: String { name + (origin.location.map { " (\($0))" } ?? "") }

  /// Whether both are the same option, written in the same place.
  public static func == (one: WrittenOption, other: WrittenOption) -> Bool {
    one === other || one.name == other.name && one.origin == other.origin
  }
}

/// A value and the option that set it.
public struct Setting<Value: Equatable & Sendable>: Equatable, Sendable {
  /// The value.
  public var value: Value
  /// The option.
  public let option: WrittenOption

  /// Sets a value.
  @inlinable
  public init(_ value: Value, _ option: WrittenOption) {
    self.value = value
    self.option = option
  }
}
