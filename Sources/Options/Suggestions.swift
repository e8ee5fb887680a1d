// SPDX-License-Identifier: Apache-2.0
// Which option an unknown word may mean.

internal import Linux
public import Text

extension Suggestion {
  /// The options that the unknown `word` may mean: those with that name in other programs, and those
  /// with a similar spelling.
  static func options(for word: String) -> [String] {
    let typed = String(decoding: bare(word), as: UTF8.self)
    var found = Synonyms.options.filter { $0.1.contains(typed) }.map(\.0)
    let names = Option.all.map(\.name)
    for name in matches(for: word, among: names, synonyms: Synonyms.words)
    where !found.contains(name) && typed != "no-" + name.dropFirst(2) {
      found.append(name)
    }
    return found
  }

  /// Whether the message for an unknown word says what it may mean.
  static func knows(_ word: ByteString) -> Bool {
    unknownOption(word) != "Unknown option " + word.quoted
  }

  /// The message for an unknown word that begins with a dash.
  static func unknownOption(_ word: ByteString) -> String {
    let message = "Unknown option " + word.quoted
    let text = word.text
    let name = text.prefix { $0 != "=" && $0 != " " }
    let typed = String(decoding: bare(String(name)), as: UTF8.self)
    if let advice = Synonyms.advice.first(where: { $0.names.contains(typed) }) {
      return message + "; " + advice.text
    }
    let found = options(for: String(name))
    if found.isEmpty, let advice = advice(nearTo: typed) { return message + "; " + advice }
    // What follows an equals sign or a space should be a separate word.
    guard name.endIndex < text.endIndex, found.count == 1,
      let option = Option.all.first(where: { $0.name == found[0] })
    else { return message + question(found) }
    let value = ByteString(String(text[name.endIndex...].dropFirst()))
    switch option.operands.count {
    case 0: return message + "; did you mean \(option.name)? It takes no value"
    case 1 where !value.isEmpty: return message + "; did you mean \(option.name) \(value.quoted)?"
    default: return message + "; did you mean \(option.synopsis)?"
    }
  }

  /// What to do instead of an option of another program, for a mistyped name of one.
  private static func advice(nearTo typed: String) -> String? {
    // A short name is near to almost any other.
    guard typed.utf8.count > 4 else { return nil }
    let near = nearest(to: typed, among: Synonyms.advice.flatMap(\.names))
    return near.flatMap { name in Synonyms.advice.first { $0.names.contains(name) }?.text }
  }

  /// The hint for a command that was not found, if it looks like an option without its dashes.
  public static func hint(forCommand command: ByteString) -> String? {
    let text = command.text
    guard text.utf8.count > 2, !text.contains("/") else { return nil }
    let name = String(text.prefix { $0 != "=" })
    let bare = bare(name)
    let near = options(for: name).filter { distance(bare, Suggestion.bare($0)) <= 1 }
    let exact = near.filter { Suggestion.bare($0) == bare }
    let names = exact.isEmpty ? near : exact
    guard !names.isEmpty else { return nil }
    return "\(command.quoted) was taken for the command; did you mean the option \(choice(names))?"
  }
}
