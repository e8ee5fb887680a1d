// SPDX-License-Identifier: Apache-2.0
// A mistake in what was typed.

/// A mistake in what was typed: one sentence that names the option.
public struct UsageError: Error, Equatable, Sendable {
  /// The sentence.
  public let message: String
  /// Whether the sentence continues after the name of the option, as "needs --info-fd" does.
  private var isPredicate = false
  /// The sentence under the name bwrap, if its clients match different words.
  private var bubblewrap: String?

  /// Says what is wrong.
  /// - Parameters:
  ///   - message: The sentence.
  ///   - bubblewrap: The same in bubblewrap's words, if clients match on them.
  public init(_ message: String, bubblewrap: String? = nil) {
    self.message = message
    self.bubblewrap = bubblewrap
  }

  /// Describes a mistake in an option: the rest of the sentence after its name.
  public init(predicate: String) {
    self.init(predicate)
    isPredicate = true
  }

  /// Whether both are told in the same sentence.
  public static func == (one: UsageError, other: UsageError) -> Bool {
    one.message == other.message
  }

  /// The same mistake, of the option `name`.
  public func of(_ name: String) -> UsageError {
    UsageError(name + (isPredicate ? " " : ": ") + message, bubblewrap: bubblewrap)
  }

  /// The sentence, in bubblewrap's words where `isBubblewrap` is true.
  public func message(asBubblewrap isBubblewrap: Bool) -> String {
    isBubblewrap ? bubblewrap ?? message : message
  }

  /// The same mistake, made at `origin`.
  public func at(_ origin: Origin, column: Int? = nil) -> UsageError {
    guard let location = origin.location else { return self }
    return UsageError(
      "\(location)\(column.map { ":" + String($0) } ?? ""): \(message)", bubblewrap: bubblewrap)
  }
}
